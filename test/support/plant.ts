import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { type AssayClient, connectAssay } from '../../src/cli/client.js';
import { createTrustPolicy, generateSigningKey, writeTrustPolicy } from '../../src/core/trust/index.js';
import { registerSearchAttributes } from '../../src/workers/server/index.js';

const dist = path.resolve(__dirname, '../../dist');

/** A worker process of the plant. */
export interface PlantWorker {
  readonly identity: string;
  readonly process: ChildProcess;
  /** SIGKILL: no goodbye to anyone. */
  kill(): Promise<void>;
}

/** A whole installation in a temporary folder: store, keys, trust policy and real worker processes. */
export interface Plant {
  readonly folder: string;
  readonly storeUrl: string;
  readonly trustFile: string;
  readonly client: AssayClient;
  /** Of the plant's namespace, for what Assay's own client does not show. */
  readonly temporal: Client;
  startWorker(...roles: string[]): Promise<PlantWorker>;
  stop(): Promise<void>;
}

/**
 * Builds an installation beside a running Temporal server, in a namespace of its own: queues have fixed names, and two
 * plants in one namespace would take each other's work.
 */
export async function buildPlant(address: string): Promise<Plant> {
  const namespace = await createNamespace(address);
  const folder = mkdtempSync(path.join(tmpdir(), 'assay-plant-'));
  const storeFolder = path.join(folder, 'store');
  mkdirSync(storeFolder);
  const storeUrl = pathToFileURL(storeFolder).href;
  const key = await generateSigningKey();
  const keyFile = path.join(folder, 'signing.pem');
  const trustFile = path.join(folder, 'trust.yaml');
  const recordsKeyFile = path.join(folder, 'records.key');
  writeFileSync(recordsKeyFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
  writeFileSync(trustFile, writeTrustPolicy(createTrustPolicy([{ publicKey: key.publicKey }])));
  const client = await connectAssay({ connection: { address }, namespace, store: storeUrl });
  const temporal = new Client({ connection: await Connection.connect({ address }), namespace });
  const workers: PlantWorker[] = [];

  return {
    folder,
    storeUrl,
    trustFile,
    client,
    temporal,
    async startWorker(...roles) {
      const child = spawn(
        process.execPath,
        [
          path.join(dist, 'workers/main.js'),
          ...['--role', roles.join(','), '--address', address, '--namespace', namespace],
          ...[
            '--store',
            storeUrl,
            '--scratch',
            path.join(folder, 'scratch'),
            '--trust',
            trustFile,
            '--stop-with-parent',
          ],
          ...['--records-key', recordsKeyFile],
          ...(roles.includes('signing') ? ['--key', keyFile] : []),
          ...(roles.includes('gpu') ? ['--devices', '0'] : []),
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      const [line] = (await Promise.race([
        once(createInterface({ input: child.stdout! }), 'line'),
        once(child, 'exit').then(([code]) =>
          Promise.reject(new Error(`worker ${roles} exited with ${code}`)),
        ),
      ])) as [string];
      const worker: PlantWorker = {
        identity: (JSON.parse(line) as { identity: string }).identity,
        process: child,
        async kill() {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill('SIGKILL');
          await once(child, 'exit');
        },
      };
      workers.push(worker);
      return worker;
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await Promise.all([client.close(), temporal.connection.close()]);
      // The trainers of killed workers may still be writing their last.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

export async function createNamespace(address: string): Promise<string> {
  const connection = await Connection.connect({ address });
  const namespace = `plant-${randomUUID()}`;
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await registerSearchAttributes(connection, namespace);
    return namespace;
  } finally {
    await connection.close();
  }
}

/** The usual crew: one process for orchestration and compute, one more for compute, one that signs. */
export async function startCrew(plant: Plant): Promise<void> {
  await Promise.all([
    plant.startWorker('control', 'cpu'),
    plant.startWorker('cpu'),
    plant.startWorker('signing'),
  ]);
}
