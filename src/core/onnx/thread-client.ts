import { Worker } from 'node:worker_threads';
import { TransientError } from '../errors/index.js';
import { compiledEntry } from './compiled-entry.js';
import type { LoadedModel } from './runtime.js';
import type { Results } from './session.js';
import { detached, type ThreadMessage } from './thread-protocol.js';

interface Waiting {
  resolve(message: ThreadMessage): void;
  reject(error: Error): void;
}

/**
 * Loads a model in a worker thread of its own. The thread does not keep the process alive between runs.
 *
 * @param bytes - copied
 * @throws Error with ONNX Runtime's message when it cannot load the bytes
 * @throws TransientError when the thread cannot start or dies
 */
export async function loadModelInThread(bytes: Uint8Array): Promise<LoadedModel> {
  const copy = new Uint8Array(bytes);
  const worker = new Worker(compiledEntry('session-thread.js'), {
    workerData: copy,
    transferList: [copy.buffer],
    execArgv: [],
  });
  /** The thread answers in order. */
  const waiting: Waiting[] = [];
  let end: TransientError | undefined;

  const die = (reason: string, cause?: unknown): void => {
    end ??= new TransientError(`the session's thread ${reason}`, { cause });
    for (const { reject } of waiting.splice(0)) reject(end);
  };
  worker.on('message', (message: ThreadMessage) => {
    waiting.shift()?.resolve(message);
    if (waiting.length === 0) worker.unref();
  });
  worker.on('error', (error) => die(`failed: ${error.message}`, error));
  worker.on('exit', () => die('has ended'));

  const nextMessage = (): Promise<ThreadMessage> =>
    new Promise((resolve, reject) => {
      if (end) return reject(end);
      worker.ref();
      waiting.push({ resolve, reject });
    });

  const loaded = await nextMessage();
  if (loaded.kind !== 'loaded') {
    await worker.terminate();
    throw new Error(loaded.kind === 'failed' ? loaded.message : 'the thread spoke out of turn');
  }
  /** Buffers that feeds were sent in: fresh memory for every run would cost as much as copying into it ten times. */
  let spare: ArrayBuffer[] = [];
  return {
    inputs: loaded.inputs,
    outputNames: loaded.outputNames,
    async run(feeds): Promise<Results> {
      const { tensors, buffers } = detached(feeds, spare);
      const answer = nextMessage();
      worker.postMessage({ feeds: tensors }, buffers);
      const message = await answer;
      if (message.kind === 'done') {
        spare = [...message.spare];
        return message.results;
      }
      throw new Error(message.kind === 'failed' ? message.message : 'the thread spoke out of turn');
    },
    async release() {
      await worker.terminate();
    },
  };
}
