import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { TransientError } from '../../core/errors/index.js';
import { freePorts } from './free-port.js';
import { registerSearchAttributes } from './search-attributes.js';

export interface EmbeddedServerOptions {
  /** The Temporal CLI: see `findExecutable`. */
  readonly executable: string;
  /** Where its state survives restarts; in memory when absent. */
  readonly databaseFile?: string;
  /** Appended to; nothing is kept when absent. */
  readonly logFile?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Port of the web UI; 0: any free one. */
  readonly uiPort: number;
  /** Where the web UI asks for what sealed payloads say. */
  readonly codecEndpoint?: string;
}

/** A Temporal server of this process: it ends when this process ends, however that happens, and does not keep it alive. */
export interface EmbeddedServer {
  /** HOST:PORT of its front end. */
  readonly address: string;
  readonly uiUrl: string;
  /** Of the server itself. */
  readonly pid: number;
  /** Settles when the server has ended, with its last words. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** The namespace that the embedded server has from its start. */
export const embeddedNamespace = 'default';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const host = '127.0.0.1';
// Threads and processes run compiled code, also when tests load this file as TypeScript.
const guard = path.resolve(
  __dirname,
  __filename.endsWith('.ts') ? '../../../dist/workers/server' : '.',
  'guard.js',
);

/**
 * Starts a Temporal server on loopback, waits until it answers and knows Assay's search attributes.
 * @throws TransientError when it does not come up, with its last words
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const free = await freePorts(2);
  const port = options.port || free[0]!;
  const uiPort = options.uiPort || free[1]!;
  for (const file of [options.databaseFile, options.logFile]) {
    if (file !== undefined) mkdirSync(path.dirname(file), { recursive: true });
  }
  const child = spawn(
    process.execPath,
    [
      ...[guard, options.executable, 'server', 'start-dev', '--log-level', 'error'],
      ...['--ip', host, '--port', `${port}`, '--ui-port', `${uiPort}`],
      ...(options.codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', options.codecEndpoint]),
      ...(options.databaseFile === undefined ? [] : ['--db-filename', path.basename(options.databaseFile)]),
    ],
    {
      // A session of its own: a Ctrl-C is for the parent, which stops its workers before their server.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      // The server makes a URL of the database's name, and cuts it at the first # or ?: of ours there is nothing to cut.
      ...(options.databaseFile !== undefined && { cwd: path.dirname(options.databaseFile) }),
    },
  );
  child.stdin.on('error', () => undefined);
  const exited = lastWords(child, options.logFile);
  const stop = () => stopGuarded(child, exited);
  const address = `${host}:${port}`;
  const givenUp = new AbortController();
  try {
    const pid = await Promise.race([pidOf(child), failure(exited)]);
    await Promise.race([becomesReady(address, givenUp.signal), failure(exited)]);
    // A server is no reason for its parent to stay.
    for (const handle of handlesOf(child)) handle.unref();
    return { address, uiUrl: `http://${host}:${uiPort}`, pid, exited, stop };
  } catch (error) {
    givenUp.abort();
    await stop();
    throw error;
  }
}

/** Keeps the log, and settles with its end when the server is gone. */
async function lastWords(child: ChildProcess, logFile: string | undefined): Promise<string> {
  const log = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' });
  const last: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    log?.write(`${line}\n`);
    last.push(line.slice(0, 500));
    if (last.length > 5) last.shift();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  log?.end();
  return [...last, `ended with ${signal ?? code}`].join('\n');
}

async function failure(exited: Promise<string>): Promise<never> {
  throw new TransientError(`the Temporal server did not start:\n${await exited}`);
}

async function pidOf(child: ChildProcess): Promise<number> {
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return (JSON.parse(line) as { pid: number }).pid;
}

async function becomesReady(address: string, givenUp: AbortSignal): Promise<void> {
  const connection = await connectPatiently(address, givenUp);
  try {
    await registerSearchAttributes(connection, embeddedNamespace);
  } finally {
    await connection.close();
  }
}

async function connectPatiently(address: string, givenUp: AbortSignal): Promise<Connection> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    // Not `connect`: it would leave the channel of a failed attempt open.
    const connection = Connection.lazy({ address, connectTimeout: '2s' });
    try {
      await connection.ensureConnected();
      await connection.workflowService.describeNamespace({ namespace: embeddedNamespace });
      return connection;
    } catch (cause) {
      await connection.close();
      if (givenUp.aborted || Date.now() > deadline) {
        throw new TransientError(`the Temporal server at ${address} does not answer`, { cause });
      }
      await sleep(50);
    }
  }
}

async function stopGuarded(child: ChildProcess, exited: Promise<string>): Promise<void> {
  for (const handle of handlesOf(child)) handle.ref();
  child.stdin?.end();
  const kill = setTimeout(() => {
    // The guard leads a process group that holds the server and nothing else.
    if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  }, stopTimeoutMs);
  await exited;
  clearTimeout(kill);
}

/** What keeps this process alive on the child's behalf. */
function handlesOf(child: ChildProcess): readonly (ChildProcess | Socket)[] {
  return [child, ...[child.stdin, child.stdout, child.stderr].map((stream) => stream as Socket)];
}
