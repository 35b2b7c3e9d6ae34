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
import {
  createTrustPolicy,
  generateSigningKey,
  type Person,
  readSigner,
  type Signer,
  writeTrustPolicy,
} from '../../src/core/trust/index.js';
import { payloadSealing } from '../../src/workers/payloads/data-converter.js';
import { registerSearchAttributes } from '../../src/workers/server/index.js';

const dist = path.resolve(__dirname, '../../dist');

const plantPeople = ['tester', 'grace', 'ada', 'mallory'] as const;
type PlantPerson = (typeof plantPeople)[number];

/** The workers' key is nobody's. Grace and Ada approve at one endpoint; Mallory may look. */
const rolesOf: Readonly<Record<PlantPerson, Person['roles']>> = {
  tester: { '*': ['runner', 'approver', 'releaser', 'admin'] },
  grace: { digits: ['approver'] },
  ada: { digits: ['approver'] },
  mallory: { '*': ['viewer'] },
};

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
  readonly namespace: string;
  /** Of `tester`, who may do everything, but not approve what they asked for. */
  readonly client: AssayClient;
  readonly people: Readonly<Record<PlantPerson, { readonly signer: Signer; readonly keyFile: string }>>;
  /** A client of somebody else, or of nobody. */
  connectAs(signer?: Signer): Promise<AssayClient>;
  /** Of the plant's namespace, for what Assay's own client does not show. */
  readonly temporal: Client;
  startWorker(...roles: string[]): Promise<PlantWorker>;
  stop(): Promise<void>;
}

/**
 * Builds an installation beside a running Temporal server, in a namespace of its own: queues have fixed names, and two
 * plants in one namespace would take each other's work.
 *
 * @param env - of the workers; it says how payloads are sealed
 */
export async function buildPlant(address: string, env: NodeJS.ProcessEnv = process.env): Promise<Plant> {
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
  const people = await makePeople(folder);
  const policy = createTrustPolicy(
    [
      { publicKey: key.publicKey },
      ...plantPeople.map((name) => ({
        publicKey: people[name].signer.publicKey,
        roles: name === 'tester' ? (['request', 'policy'] as const) : (['request'] as const),
      })),
    ],
    {},
    {
      requests: 'signed',
      people: plantPeople.map((name) => ({
        name,
        signers: [people[name].signer.keyId],
        roles: rolesOf[name],
      })),
    },
  );
  writeFileSync(trustFile, writeTrustPolicy(policy));
  const { dataConverter } = await payloadSealing(env);
  const connectAs = (signer?: Signer) =>
    connectAssay({
      connection: { address },
      namespace,
      store: storeUrl,
      dataConverter,
      ...(signer && { signer }),
    });
  const client = await connectAs(people.tester.signer);
  const temporal = new Client({ connection: await Connection.connect({ address }), namespace });
  const workers: PlantWorker[] = [];

  return {
    folder,
    storeUrl,
    trustFile,
    namespace,
    client,
    people,
    connectAs,
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
        { stdio: ['pipe', 'pipe', 'inherit'], env },
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

async function makePeople(folder: string): Promise<Plant['people']> {
  const made = plantPeople.map(async (name) => {
    const { privateKey } = await generateSigningKey();
    const keyFile = path.join(folder, `${name}.pem`);
    writeFileSync(keyFile, privateKey, { mode: 0o600 });
    return [name, { signer: readSigner(privateKey), keyFile }] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as Plant['people'];
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
