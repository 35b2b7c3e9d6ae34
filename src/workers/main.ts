import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, type LogEntry, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { openStore } from '../core/store/index.js';
import { followPolicy, openSigner, readTrustPolicy } from '../core/trust/index.js';
import { queues } from '../workflows/contract.js';
import { payloadSealing } from './payloads/data-converter.js';
import { type Role, startWorkers } from './run-worker.js';
import { workflowBundle } from './workflow-bundle.js';

const usage = `node workers/main.js --role control,cpu,gpu,signing --store URL --scratch DIR
  [--address HOST:PORT] [--namespace NAME] [--trust FILE] [--records-key FILE]
  [--key FILE|awskms:///KEY] [--passphrase env:NAME|file:PATH|…] [--certificates FILE]
  [--devices 0,1] [--cpu-slots N]
TLS and API key of the Temporal server come from TEMPORAL_… variables or a profile.`;

/** Runs the workers of one process until SIGTERM or SIGINT, or until the parent that asked for it goes away. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      role: { type: 'string' },
      address: { type: 'string' },
      namespace: { type: 'string' },
      store: { type: 'string' },
      scratch: { type: 'string' },
      key: { type: 'string' },
      passphrase: { type: 'string' },
      certificates: { type: 'string' },
      trust: { type: 'string' },
      'records-key': { type: 'string' },
      devices: { type: 'string', default: '' },
      'cpu-slots': { type: 'string', default: '1' },
      'stop-with-parent': { type: 'boolean', default: false },
    },
  });
  const roles = (values.role ?? '').split(',');
  const unknown = roles.filter((role) => !Object.hasOwn(queues, role));
  if (unknown.length > 0 || !values.store || !values.scratch) {
    console.error(`Expected --role, --store and --scratch, got ${process.argv.slice(2).join(' ')}\n${usage}`);
    process.exit(2);
  }

  Runtime.install({
    logger: new DefaultLogger('WARN', log),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    },
    shutdownSignals: [],
  });
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const sealing = await payloadSealing(process.env);
  const workers = await startWorkers({
    roles: roles as Role[],
    connection: { ...connectionOptions, ...(values.address && { address: values.address }) },
    namespace: values.namespace ?? namespace ?? 'default',
    store: values.store,
    scratch: values.scratch,
    ...(values.key && {
      signer: await openSigner({
        key: values.key,
        ...(values.passphrase && { passphrase: values.passphrase }),
        ...(values.certificates && { certificates: values.certificates }),
      }),
    }),
    ...(values.trust && {
      trust: await followPolicy(
        await openStore(values.store),
        readTrustPolicy(await readFile(values.trust, 'utf8')),
        new Date(),
      ),
    }),
    ...(values['records-key'] && {
      recordsKey: Buffer.from((await readFile(values['records-key'], 'utf8')).trim(), 'hex'),
    }),
    devices: values.devices.split(',').filter((device) => device !== ''),
    cpuSlots: Number(values['cpu-slots']),
    workflowBundle: await workflowBundle(sealing.failureConverterPath),
    dataConverter: sealing.dataConverter,
  });
  process.once('SIGTERM', workers.shutdown);
  process.once('SIGINT', workers.shutdown);
  if (values['stop-with-parent']) process.stdin.on('end', () => process.exit(0)).resume();
  console.log(JSON.stringify({ event: 'started', identity: workers.identity }));
  await workers.done;
}

/** One line an event on stderr, without what is no news: compute and signing workers have no workflows by design. */
function log({ level, message, timestampNanos, meta }: LogEntry): void {
  if (message.startsWith('No workflows registered')) return;
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const { workflowId, activityType, attempt, error } = (meta ?? {}) as Record<string, unknown>;
  console.error(
    JSON.stringify({ time, level, message, workflowId, activityType, attempt, error: text(error) }),
  );
}

function text(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
