import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { TransientError } from '../errors/index.js';
import { readLines } from './event-lines.js';
import { findProgram } from './find-program.js';

/** Milliseconds between asking a trainer to stop and stopping it. */
const graceMs = 1000;
/** Bytes of stderr that are kept for error messages. */
const tailBytes = 8192;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Last lines of stderr, without control characters. */
  readonly stderr: readonly string[];
}

type Trainer = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

const shell = '/bin/sh';

/**
 * Runs a program as the leader of its own process group and hands on its stdout line by line. However this ends, no
 * process of the group outlives it: not after an abort, not after an error in `onLine`, not after `kill -9` of this
 * process.
 *
 * @param limit - aborting it stops the program (SIGTERM, SIGKILL a second later) and rejects with its reason
 * @throws RefusedError `training-refused` when the program cannot be started
 */
export async function superviseProgram(
  command: readonly string[],
  workingFolder: string,
  environment: Readonly<Record<string, string>>,
  onLine: (line: Uint8Array) => Promise<void>,
  limit: AbortSignal,
): Promise<Ending> {
  limit.throwIfAborted();
  const [name = '', ...args] = command;
  const program = await findProgram(name, workingFolder, environment.PATH);
  const guard = startGuard();
  try {
    const trainer = startProgram([program, ...args], workingFolder, environment);
    if (trainer.pid !== undefined) guard.watch(trainer.pid);
    letGo(trainer);
    return await follow(trainer, onLine, limit);
  } finally {
    guard.dismiss();
  }
}

/**
 * Starts the program held: a shell in its place waits at a pipe, and becomes the program when {@link letGo} says so. When
 * this process dies before it has named the group to the guard, the pipe closes, and the program never begins.
 */
function startProgram(
  command: readonly string[],
  workingFolder: string,
  environment: Readonly<Record<string, string>>,
): Trainer {
  // Where there is no shell there is no guard either.
  const held = existsSync(shell)
    ? [shell, '-c', 'read -r _ <&3 && exec "$0" "$@" 3<&-', ...command]
    : command;
  const [program, ...args] = held;
  return spawn(program!, args, {
    cwd: workingFolder,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  }) as Trainer;
}

function letGo(trainer: Trainer): void {
  const hold = trainer.stdio[3] as Writable;
  // Killed while it was held: its end says so.
  hold.once('error', () => undefined);
  hold.end('go\n');
}

async function follow(
  trainer: Trainer,
  onLine: (line: Uint8Array) => Promise<void>,
  limit: AbortSignal,
): Promise<Ending> {
  const exit = exitOf(trainer);
  const stderr = keepTail(trainer.stderr);
  const reading = readLines(trainer.stdout, onLine);
  try {
    // The group goes as soon as its leader is gone, so that no grandchild keeps stdout open.
    const gone = exit.then((ending) => {
      signalGroup(trainer, 'SIGKILL');
      return ending;
    });
    const [ending, rest] = await unlessAborted(limit, Promise.all([gone, reading]));
    if (rest.length > 0 && ending.code === 0) await unlessAborted(limit, onLine(rest));
    return { ...ending, stderr: await stderr };
  } catch (error) {
    await terminate(trainer, exit);
    throw error;
  }
}

function exitOf(trainer: Trainer): Promise<Pick<Ending, 'code' | 'signal'>> {
  return new Promise((resolve, reject) => {
    trainer.once('error', (error) => {
      reject(
        new TransientError(`the trainer ${trainer.spawnfile} could not be started: ${error.message}`, {
          cause: error,
        }),
      );
    });
    trainer.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

interface Guard {
  /** Names the process group that must not outlive this process. */
  watch(group: number): void;
  dismiss(): void;
}

/**
 * A shell that waits at a pipe whose other end only this process holds. When this process dies, however it dies, the
 * pipe closes and the shell kills the group: an orphan would go on training beside its own replacement.
 */
function startGuard(): Guard {
  const script = 'read -r group && { read -r _; kill -s KILL -- "-$group"; }';
  const guard = spawn(shell, ['-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  // Without a shell the trainer runs unwatched, which is no reason not to run it.
  guard.once('error', () => undefined);
  guard.stdin.once('error', () => undefined);
  guard.unref();
  return {
    watch: (group) => void guard.stdin.write(`${group}\n`),
    dismiss: () => void guard.kill('SIGKILL'),
  };
}

async function terminate(trainer: Trainer, exit: Promise<unknown>): Promise<void> {
  const exited = exit.then(
    () => undefined,
    () => undefined,
  );
  if (trainer.pid !== undefined && trainer.exitCode === null && trainer.signalCode === null) {
    signalGroup(trainer, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(trainer, 'SIGKILL'), graceMs);
    await exited;
    clearTimeout(timer);
  }
  signalGroup(trainer, 'SIGKILL');
  trainer.stdout.destroy();
  trainer.stderr.destroy();
}

function signalGroup(trainer: Trainer, signal: NodeJS.Signals): void {
  if (trainer.pid === undefined) return;
  try {
    process.kill(-trainer.pid, signal);
  } catch (error) {
    // No such group, or (macOS) one of zombies only: there is nothing left to stop.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

async function keepTail(stderr: Readable): Promise<readonly string[]> {
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of stderr) {
      tail = Buffer.concat([tail, chunk as Buffer]).subarray(-tailBytes);
    }
  } catch {
    // A pipe broken by our own kill: what was read so far is what there is.
  }
  return tail
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/\p{Cc}/gu, ''))
    .filter((line) => line.trim() !== '');
}

function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
