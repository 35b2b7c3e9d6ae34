import { parentPort, workerData } from 'node:worker_threads';
import { type LoadedModel, loadModel } from './runtime.js';
import { detached, type RunRequest, type ThreadMessage } from './thread-protocol.js';

/** Entry of the worker thread: loads the model it was started with, then answers one request after the other. */
async function serve(): Promise<void> {
  const model = await loadModel(workerData as Uint8Array).catch(fail);
  if (!model) return;
  parentPort?.on('message', ({ feeds }: RunRequest) => void answer(model, feeds));
  send({ kind: 'loaded', inputs: model.inputs, outputNames: model.outputNames });
}

async function answer(model: LoadedModel, feeds: RunRequest['feeds']): Promise<void> {
  const results = await model.run(feeds).catch(fail);
  if (!results) return;
  // ONNX Runtime owns the memory of its outputs, which therefore cannot be moved.
  const { tensors, buffers } = detached(results);
  const spare = Object.values(feeds).map(({ data }) => data.buffer as ArrayBuffer);
  send({ kind: 'done', results: tensors, spare }, [...buffers, ...spare]);
}

function fail(error: unknown): undefined {
  send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
}

function send(message: ThreadMessage, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers);
}

void serve();
