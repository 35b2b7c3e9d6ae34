import { hostname } from 'node:os';
import type { DataConverter } from '@temporalio/common';
import {
  NativeConnection,
  type NativeConnectionOptions,
  Worker,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import {
  createComputeActivities,
  createControlActivities,
  createSigningActivities,
} from '../activities/index.js';
import { authenticOutcomes, openStore, type Store } from '../core/store/index.js';
import type { Signer, TrustPolicy } from '../core/trust/index.js';
import { queues } from '../workflows/contract.js';
import { createDevices } from './devices.js';
import { ownScratchFolder } from './scratch-folders.js';

export type Role = keyof typeof queues;

/** One worker process: which roles it plays, against which server and store. */
export interface WorkerSettings {
  readonly roles: readonly Role[];
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  /** URL of the artifact store. */
  readonly store: string;
  /** Folder for working files; each process has one of its own inside. */
  readonly scratch: string;
  /** The key, on a signing worker; on no other. */
  readonly signer?: Signer;
  /** The secret that workers who record outcomes share; control workers record none. */
  readonly recordsKey?: Uint8Array;
  /** Whom to believe, on control and signing workers. */
  readonly trust?: TrustPolicy;
  /** Accelerators of a GPU worker, as `CUDA_VISIBLE_DEVICES` names them. */
  readonly devices: readonly string[];
  /** Compute tasks at a time on a CPU worker; a GPU worker owns one slot a device. */
  readonly cpuSlots: number;
  readonly workflowBundle: WorkflowBundleOption;
  /** How payloads are sealed; plain where it is absent. */
  readonly dataConverter?: DataConverter;
}

export interface RunningWorkers {
  readonly identity: string;
  /** Settles when every role has stopped; rejects when one fails. */
  readonly done: Promise<void>;
  /** Takes no more tasks, and gives running ones two seconds to end before others take them over. */
  shutdown(): void;
}

/**
 * Starts a worker a role, all in this process.
 *
 * @throws Error when a role lacks what it needs: a key and a trust policy for `signing`, a trust policy for `control`, a
 * device for `gpu`, the records key for all but `control`
 */
export async function startWorkers(settings: WorkerSettings): Promise<RunningWorkers> {
  const connection = await NativeConnection.connect(settings.connection);
  const store = await openStore(settings.store);
  const identity = `${settings.roles.join('+')}/${process.pid}@${hostname()}`;
  const authentic = (role: Role): Store =>
    authenticOutcomes(store, needed(settings.recordsKey, role, 'the records key'));
  const context = { store, identity, scratch: await ownScratchFolder(settings.scratch) };
  const shared = {
    connection,
    namespace: settings.namespace,
    identity,
    ...(settings.dataConverter && { dataConverter: settings.dataConverter }),
    // Short tasks end; long ones are handed over with their checkpoint. In all this takes less than the five seconds
    // after which supervisors kill.
    shutdownGraceTime: '2s',
    shutdownForceTime: '4s',
    // By default only each eighth beat would leave the worker: progress would look stuck, a cancellation, which comes
    // as the answer to a beat, would be late, and a killed worker's successor would resume from a checkpoint eight
    // seconds old.
    maxHeartbeatThrottleInterval: '1s',
  } as const;

  const start: Record<Role, () => Promise<Worker>> = {
    control: () =>
      Worker.create({
        ...shared,
        taskQueue: queues.control,
        workflowBundle: settings.workflowBundle,
        activities: createControlActivities({
          ...context,
          trust: needed(settings.trust, 'control', 'a trust policy'),
        }),
        maxConcurrentActivityTaskExecutions: 50,
      }),
    cpu: () =>
      Worker.create({
        ...shared,
        taskQueue: queues.cpu,
        activities: createComputeActivities({
          ...context,
          store: authentic('cpu'),
          withDevice: createDevices([]).withDevice,
        }),
        maxConcurrentActivityTaskExecutions: settings.cpuSlots,
      }),
    gpu: () => {
      const devices = createDevices(settings.devices);
      if (devices.count === 0) needed(undefined, 'gpu', 'at least one device');
      return Worker.create({
        ...shared,
        taskQueue: queues.gpu,
        activities: createComputeActivities({
          ...context,
          store: authentic('gpu'),
          withDevice: devices.withDevice,
        }),
        maxConcurrentActivityTaskExecutions: devices.count,
      });
    },
    signing: () =>
      Worker.create({
        ...shared,
        taskQueue: queues.signing,
        activities: createSigningActivities({
          ...context,
          store: authentic('signing'),
          signer: needed(settings.signer, 'signing', 'a key'),
          trust: needed(settings.trust, 'signing', 'a trust policy'),
        }),
        maxConcurrentActivityTaskExecutions: 10,
      }),
  };
  const workers = await Promise.all(settings.roles.map((role) => start[role]()));
  const done = Promise.all(workers.map((worker) => worker.run())).then(() => connection.close());
  return {
    identity,
    done,
    shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

function needed<T>(value: T | undefined, role: Role, what: string): T {
  if (value === undefined) throw new Error(`A worker with the role ${role} needs ${what}.`);
  return value;
}
