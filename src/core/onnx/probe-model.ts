import { spawn } from 'node:child_process';
import { RefusedError, TransientError } from '../errors/index.js';
import { compiledEntry } from './compiled-entry.js';

/** What loading a model and running it once may take. */
export interface ProbeLimits {
  /** Resident memory of the whole process, Node and ONNX Runtime (about 100 MB) included. */
  readonly memoryBytes: number;
  readonly timeMs: number;
}

/** Memory comes on top of four times the file: its bytes, ONNX Runtime's copy, and what it folds and repacks. */
export const probeLimits: ProbeLimits = { memoryBytes: 2 ** 31, timeMs: 60_000 };

/** What a probing process says, once. */
export type ProbeAnswer =
  | { readonly kind: 'within-limits' }
  | { readonly kind: 'unloadable'; readonly message: string }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'too-slow' };

/** Milliseconds that a process that should have ended itself is given before it is ended. */
const graceMs = 2_000;

/**
 * Loads a model, and runs it once on zeros, in a process of its own that is ended when it takes too much memory or time:
 * what may hang or crash does it there, not where predictions are served. The process sees no environment variables.
 *
 * @throws RefusedError `model-unsafe` when it passes a limit or crashes ONNX Runtime, `model-unreadable` when ONNX Runtime
 * cannot load it; TransientError when the process cannot start or was ended from outside
 */
export async function probeModel(bytes: Uint8Array, limits: Partial<ProbeLimits> = {}): Promise<void> {
  const { memoryBytes, timeMs } = { ...probeLimits, ...limits };
  const whole: ProbeLimits = { memoryBytes: memoryBytes + 4 * bytes.length, timeMs };
  const ending = await runProbe(bytes, whole);
  const [line = ''] = ending.output.split('\n');
  const answer: ProbeAnswer | undefined = line === '' ? undefined : JSON.parse(line);
  switch (answer?.kind) {
    case 'within-limits':
      return;
    case 'unloadable':
      throw new RefusedError('model-unreadable', `ONNX Runtime cannot load the model: ${answer.message}`);
    case 'too-large':
      throw unsafe(`expected it to load and run in ${whole.memoryBytes} bytes of memory, got more`);
    case 'too-slow':
      throw unsafe(`expected it to load and run once in ${timeMs} ms, got longer`);
    default:
      // The kernel ends processes with SIGKILL when memory runs out, and so does whoever stops a machine.
      if (ending.signal === 'SIGKILL' || ending.signal === 'SIGTERM') {
        throw new TransientError(`the process that tries the model was ended by ${ending.signal}`, {
          giveUp: { attempts: 3, code: 'model-unsafe' },
        });
      }
      throw unsafe(`expected ONNX Runtime to load and run it, got ${ending.signal ?? `exit ${ending.code}`}`);
  }
}

function unsafe(message: string): RefusedError {
  return new RefusedError('model-unsafe', `model: ${message}`);
}

interface Ending {
  readonly output: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function runProbe(bytes: Uint8Array, limits: ProbeLimits): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const { LD_LIBRARY_PATH: libraries } = process.env;
    const child = spawn(process.execPath, [compiledEntry('probe-process.js'), JSON.stringify(limits)], {
      env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const late = setTimeout(() => child.kill('SIGKILL'), limits.timeMs + graceMs);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    // It may end before it has read everything; its ending tells why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(bytes);
    child.on('error', (cause) => {
      clearTimeout(late);
      reject(
        new TransientError(`the process that tries the model cannot start: ${cause.message}`, { cause }),
      );
    });
    child.on('close', (code, signal) => {
      clearTimeout(late);
      resolve({ output, code, signal });
    });
  });
}
