import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { ComputeActivities, ControlActivities, SigningActivities } from '../../src/activities/index.js';
import { queues } from '../../src/workflows/contract.js';
import { createNamespace } from '../support/plant.js';
import { sharedTemporal } from '../support/temporal.js';

/** What the workflows call; a test replaces what it is about. */
export interface Cast {
  control: ControlActivities;
  signing: SigningActivities;
  cpu: ComputeActivities;
  /** No worker polls for it until {@link StageSet.startGpuWorker}. */
  gpu: ComputeActivities;
}

/** The workflows on a real server, with plain functions for activities. */
export interface StageSet {
  readonly client: Client;
  startGpuWorker(): Promise<void>;
  stop(): Promise<void>;
}

export async function setStage(cast: Cast): Promise<StageSet> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} },
    },
  });
  const { address } = sharedTemporal();
  const namespace = await createNamespace(address);
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: path.resolve(__dirname, '../../src/workflows/index.ts'),
    workflowInterceptorModules: [require.resolve('./interceptors')],
    logger: new DefaultLogger('ERROR'),
  });
  const workers: { readonly worker: Worker; readonly done: Promise<void> }[] = [];

  async function play(role: keyof Cast): Promise<void> {
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: queues[role],
      maxHeartbeatThrottleInterval: '100ms',
      activities: Object.fromEntries(
        Object.keys(cast[role]).map((name) => [
          name,
          (...args: unknown[]) =>
            (cast[role] as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
        ]),
      ),
      ...(role === 'control' && { workflowBundle }),
    });
    workers.push({ worker, done: worker.run() });
  }
  await Promise.all((['control', 'signing', 'cpu'] as const).map(play));

  return {
    client: new Client({ connection: clientConnection, namespace }),
    startGpuWorker: () => play('gpu'),
    async stop() {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ done }) => done));
      await connection.close();
      await clientConnection.close();
    },
  };
}
