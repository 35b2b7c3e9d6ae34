import { RefusedError, TransientError } from '../errors/index.js';
import { checkFeeds } from './check-feeds.js';
import { type LoadedModel, loadModel } from './runtime.js';
import type { Feeds, OnnxSession, Results, SessionOptions } from './session.js';
import { loadModelInThread } from './thread-client.js';

/**
 * Loads a model into ONNX Runtime under {@link evidenceConfiguration}.
 *
 * @param modelBytes - an ONNX file; copied, the caller keeps it
 * @throws RefusedError `model-unreadable` when ONNX Runtime cannot load it
 * @throws TransientError when the worker thread cannot start
 */
export async function openSession(modelBytes: Uint8Array, options: SessionOptions): Promise<OnnxSession> {
  return sessionOf(await load(modelBytes, options.place));
}

async function load(bytes: Uint8Array, place: SessionOptions['place']): Promise<LoadedModel> {
  try {
    return place === 'thread' ? await loadModelInThread(bytes) : await loadModel(bytes);
  } catch (error) {
    if (error instanceof TransientError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new RefusedError('model-unreadable', `ONNX Runtime cannot load the model: ${reason}`, [], {
      cause: error,
    });
  }
}

function sessionOf(model: LoadedModel): OnnxSession {
  const pending = new Set<(reason: Error) => void>();
  const inFlight = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;

  const run = (feeds: Feeds): Promise<Results> =>
    new Promise((resolve, reject) => {
      pending.add(reject);
      const ended: Promise<void> = model
        .run(feeds)
        .then(resolve, reject)
        .finally(() => {
          pending.delete(reject);
          inFlight.delete(ended);
        });
      inFlight.add(ended);
    });

  return {
    inputNames: model.inputs.map(({ name }) => name),
    inputs: model.inputs,
    outputNames: model.outputNames,
    async run(feeds) {
      if (closed) throw new TransientError('the session is closed');
      checkFeeds(model.inputs, feeds);
      return await run(feeds);
    },
    close() {
      closed ??= (async () => {
        for (const reject of pending)
          reject(new TransientError('the session was closed before the run ended'));
        pending.clear();
        // ONNX Runtime cannot be interrupted, and must not be freed while it computes.
        await Promise.all(inFlight);
        await model.release();
      })();
      return closed;
    },
  };
}
