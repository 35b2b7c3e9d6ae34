import { mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusedError, TransientError } from '../errors/index.js';
import { canonicalJson } from '../store/index.js';
import { parseEvent } from './event-lines.js';
import { type TrainerEvent, trainerExit, trainerGiveUp } from './trainer.js';
import { readTrainerOutput } from './trainer-output.js';
import { superviseProgram } from './trainer-process.js';

export interface RunTrainerOptions {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  /** The folder the program starts in. */
  readonly workingFolder: string;
  readonly snapshotFolder: string;
  /** A JSON value; the program reads it from a file. */
  readonly parameters: unknown;
  /** An integer in [0, 2³²). */
  readonly seed: number;
  /** Where the program writes; made when missing. */
  readonly outputFolder: string;
  /** A checkpoint of an earlier run with equal arguments. */
  readonly resumeFrom?: string;
  /** The accelerator that the program may see, as CUDA numbers it; none when absent. */
  readonly device?: string;
  /** Called in order, one event at a time; the program's output waits for it. A checkpoint's file is absolute. */
  onEvent(event: TrainerEvent): void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * Runs a trainer program by the contract of `trainer.ts` and checks that it left a model and its metrics.
 *
 * The program gets PATH, HOME, LANG and one thread for every numeric library, and nothing else of this process's
 * environment: a trainer is foreign code, and a worker's environment holds credentials.
 *
 * @throws RefusedError `training-refused` when the program refuses (exit 64 or 65), cannot be started, runs over
 * `timeoutMs`, or exits 0 without its output; the details are the last lines of its stderr
 * @throws TransientError for any other exit, a signal, and for stdout that is not the contract's; after a few tries an
 * exit and such stdout count as `training-refused`
 * @throws the signal's reason when aborted, after every process of the program is gone
 */
export async function runTrainer(options: RunTrainerOptions): Promise<void> {
  options.signal?.throwIfAborted();
  await mkdir(options.outputFolder, { recursive: true });
  const outputFolder = await realpath(options.outputFolder);
  const scratch = await mkdtemp(path.join(tmpdir(), 'assay-trainer-'));
  try {
    const parametersFile = path.join(scratch, 'parameters.json');
    await writeFile(parametersFile, canonicalJson(options.parameters));
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const command = [
      ...options.command,
      '--snapshot',
      path.resolve(options.snapshotFolder),
      '--parameters',
      parametersFile,
      '--seed',
      `${options.seed}`,
      '--output',
      outputFolder,
      ...(options.resumeFrom === undefined ? [] : ['--resume', path.resolve(options.resumeFrom)]),
    ];
    const onLine = async (line: Uint8Array): Promise<void> => {
      await options.onEvent(await withCheckedFile(parseEvent(line), outputFolder));
    };
    const ending = await superviseProgram(
      command,
      options.workingFolder,
      trainerEnvironment(process.env, options.device),
      onLine,
      options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    ).catch((error: unknown) => {
      if (error !== timeout.reason) throw error;
      throw new RefusedError(
        'training-refused',
        `expected the trainer to finish within ${options.timeoutMs / 60_000} minutes, got no end; raise training.timeoutMinutes`,
      );
    });
    if (ending.code === trainerExit.parametersRefused || ending.code === trainerExit.dataRefused) {
      const what = ending.code === trainerExit.parametersRefused ? 'its parameters' : 'its data';
      throw new RefusedError(
        'training-refused',
        `the trainer refused ${what}: ${ending.stderr.at(-1) ?? 'it printed no reason on stderr'}`,
        ending.stderr,
      );
    }
    if (ending.code !== trainerExit.done) {
      const how = ending.signal === null ? `exit code ${ending.code}` : ending.signal;
      throw new TransientError(
        [`the trainer ended with ${how}, expected exit code 0`, ...ending.stderr].join('\n'),
        // Killed, it may have been in somebody's way; a program that ends by itself like that will do so again.
        ending.signal === null ? { giveUp: trainerGiveUp } : {},
      );
    }
    await readTrainerOutput(outputFolder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Threads are pinned because sums taken in another order differ in their last bits. */
function trainerEnvironment(
  parent: NodeJS.ProcessEnv,
  device: string | undefined,
): Readonly<Record<string, string>> {
  const kept = Object.fromEntries(
    ['PATH', 'HOME', 'LANG'].flatMap((name) => {
      const value = parent[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return {
    ...kept,
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    MKL_NUM_THREADS: '1',
    NUMEXPR_NUM_THREADS: '1',
    VECLIB_MAXIMUM_THREADS: '1',
    CUDA_VISIBLE_DEVICES: device ?? '',
    PYTHONHASHSEED: '0',
    CUBLAS_WORKSPACE_CONFIG: ':4096:8',
    TZ: 'UTC',
  };
}

/** A checkpoint is uploaded, so a trainer must not be able to name a file that is not its own. */
async function withCheckedFile(event: TrainerEvent, outputFolder: string): Promise<TrainerEvent> {
  if (event.event !== 'checkpoint') return event;
  const file = await realpath(path.resolve(outputFolder, event.file)).catch((error: unknown) => {
    throw new TransientError(`the trainer announced a checkpoint that is not there: ${event.file}`, {
      cause: error,
    });
  });
  // A pipe would be waited for, and a device read without end.
  if (!file.startsWith(outputFolder + path.sep) || !(await stat(file)).isFile()) {
    throw new RefusedError(
      'training-refused',
      `expected checkpoints to be files inside the output folder, got ${event.file}`,
    );
  }
  return { ...event, file };
}
