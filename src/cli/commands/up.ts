import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { generateApiKey } from '../../core/serving/index.js';
import { type CliContext, currentUser, mark } from '../context.js';
import { integerBetween } from '../integer-option.js';
import { claimState, readUp, removeUp, type StatePaths, type Up, writeUp } from '../state.js';
import { supervise } from '../supervise.js';
import { addClient } from './clients.js';
import { createRecordsKey, createSigningKey } from './keys.js';

interface UpOptions {
  readonly detach?: boolean;
  readonly port: number;
  readonly uiPort: number;
  readonly gatewayPort: number;
  readonly cpuWorkers: number;
  readonly passphrase?: string;
}

const port = integerBetween(0, 65_535);
const workers = integerBetween(1, 64);

/** `assay up`: everything on this machine. Other machines run `workers/main.js` and `gateway/main.js` themselves. */
export function registerUp(program: Command, context: () => CliContext): void {
  program
    .command('up')
    .description('run a Temporal server, workers and a gateway on this machine, until Ctrl-C or `assay down`')
    .option('--detach', 'return once everything runs')
    .option('--port <n>', 'port of the embedded Temporal server; 0: any free one', port, 0)
    .option('--ui-port <n>', 'port of the Temporal UI; 0: any free one', port, 0)
    .option('--gateway-port <n>', 'port of the gateway; 0: any free one', port, 0)
    .option(
      '--cpu-workers <n>',
      'worker processes that train and evaluate; reproduction needs two',
      workers,
      2,
    )
    .option(
      '--passphrase <reference>',
      'where the passphrase of the signing key is kept: env:NAME, file:PATH, …',
    )
    .action(async (options: UpOptions) => {
      const cli = context();
      const release = claimState(cli.paths);
      try {
        const made = await makeKeys(cli, options);
        if (options.detach) showUp(cli, await detach(cli.paths), made);
        else await runHere(cli, options, made);
      } finally {
        release();
      }
    });
}

/** What the first `up` of a state folder makes. */
interface MadeKeys {
  /** A key of the prediction API: nothing keeps it. */
  readonly apiKey?: string;
}

/** Makes what is missing, before anything is detached: a key that is shown must not end up in a log. */
async function makeKeys(cli: CliContext, options: Pick<UpOptions, 'passphrase'>): Promise<MadeKeys> {
  const { paths } = cli;
  mkdirSync(paths.storeFolder, { recursive: true });
  if (!existsSync(paths.privateKey))
    cli.say(
      `Made signing key ${(await createSigningKey(paths, options)).keyId}`,
      `It is ${currentUser()}'s, who may do everything alone: \`assay trust draft --person\` names others.`,
    );
  createRecordsKey(paths);
  if (existsSync(paths.clients)) return {};
  const { key: apiKey, record } = generateApiKey(new Date(), randomBytes);
  addClient(paths, { name: 'local', keys: [record], certificates: [], subjects: [], endpoints: '*' });
  cli.say(`Made a key for the gateway, shown this once: ${apiKey}`);
  return { apiKey };
}

/** Starts this command again as a process of its own session, and waits until it is ready. */
async function detach(paths: StatePaths): Promise<Up> {
  mkdirSync(paths.logs, { recursive: true });
  const logFile = path.join(paths.logs, 'up.log');
  const log = openSync(logFile, 'a');
  const args = process.argv.slice(1).filter((argument) => argument !== '--detach' && argument !== '--json');
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`assay up ended with ${code} before everything ran; see ${logFile}`);
  });
  const ready = (async () => {
    for (;;) {
      const up = readUp(paths);
      if (up) return up;
      await sleep(100);
    }
  })();
  const up = await Promise.race([ready, ended]);
  child.unref();
  return up;
}

async function runHere(cli: CliContext, options: UpOptions, made: MadeKeys): Promise<void> {
  const { paths } = cli;
  const stopRequested = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const { connectionSettings, freePorts, startTemporal } = await import('../../workers/server/index.js');
  const [codecPort] = process.env.ASSAY_PAYLOAD_KEYS ? await freePorts(1) : [];
  const temporal = await startTemporal(await connectionSettings(process.env), {
    databaseFile: paths.database,
    logFile: path.join(paths.logs, 'temporal.log'),
    port: options.port,
    uiPort: options.uiPort,
    ...(codecPort !== undefined && { codecEndpoint: `http://127.0.0.1:${codecPort}` }),
  });
  const env = { ...process.env, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace };
  const start = (name: string, ...args: string[]) =>
    supervise({ name, arguments: args, env, logs: paths.logs });
  const worker = (name: string, ...args: string[]) =>
    start(
      name,
      entry('workers/main.js'),
      ...['--store', paths.store, '--scratch', paths.scratch, '--records-key', paths.recordsKey],
      '--stop-with-parent',
      ...args,
    );

  const gateway = start(
    'gateway',
    entry('gateway/main.js'),
    ...['--store', paths.store, '--trust', paths.trust, '--clients', paths.clients],
    ...['--state', paths.gatewayMarks, '--port', `${options.gatewayPort}`, '--stop-with-parent'],
  );
  const extra = Array.from({ length: options.cpuWorkers - 1 }, (_, i) =>
    worker(`cpu-${i + 2}`, '--role', 'cpu'),
  );
  const codec =
    codecPort !== undefined && temporal.uiUrl
      ? [
          start(
            'codec',
            entry('cli/main.js'),
            ...[
              '--json',
              'codec',
              '--origin',
              temporal.uiUrl,
              '--port',
              `${codecPort}`,
              '--stop-with-parent',
            ],
          ),
        ]
      : [];
  const processes = [
    ...codec,
    worker('control', '--role', 'control,cpu', '--trust', paths.trust),
    ...extra,
    worker(
      'signing',
      ...['--role', 'signing', '--trust', paths.trust, '--key', paths.privateKey],
      ...(options.passphrase ? ['--passphrase', options.passphrase] : []),
    ),
    gateway,
  ];
  try {
    const interrupted = stopRequested.then(() => 'stopped' as const);
    const ready = await Promise.race([Promise.all(processes.map((process) => process.ready)), interrupted]);
    if (ready !== 'stopped') {
      const { address } = JSON.parse(await gateway.ready) as { address: string };
      const { address: temporalAddress, namespace, uiUrl } = temporal;
      writeUp(paths, {
        temporal: { address: temporalAddress, namespace, ...(uiUrl && { ui: uiUrl }) },
        gateway: address,
      });
      showUp(cli, readUp(paths)!, made);
      cli.say('Ctrl-C stops everything; nothing is lost.');
      await interrupted;
    }
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
    await temporal.stop();
    removeUp(paths);
  }
}

function showUp(cli: CliContext, up: Up, made: MadeKeys): void {
  cli.say(
    `${mark.good} Temporal  ${up.temporal.address}`,
    ...(up.temporal.ui ? [`${mark.good} UI        ${up.temporal.ui}`] : []),
    `${mark.good} Gateway   ${up.gateway}`,
  );
  cli.emit({ ...up, ui: up.temporal.ui, ...made });
}

function entry(file: string): string {
  return path.resolve(__dirname, '../..', file);
}
