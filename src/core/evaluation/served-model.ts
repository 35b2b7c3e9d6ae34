import { RefusedError } from '../errors/index.js';
import { openSession, type Tensor } from '../onnx/index.js';
import type { ModelCard } from '../spec/index.js';

/** What a card says of how to talk to its model. */
export interface ServedInterface {
  readonly input: Pick<ModelCard['input'], 'name' | 'shape'>;
  readonly output: ModelCard['output'];
}

/** A model as a gateway serves it. */
export interface ServedModel {
  /** @param bytes - one sample, little-endian float32 @returns its logits */
  serve(bytes: Uint8Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens the model file itself, not a graph made from it, for one request at a time.
 *
 * @throws RefusedError `model-unreadable` when it does not load, or does not give what its card says
 */
export async function openServedModel(
  onnx: Uint8Array,
  { input, output }: ServedInterface,
): Promise<ServedModel> {
  const session = await openSession(onnx, { place: 'thread' });
  return {
    async serve(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const data = Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) =>
        view.getFloat32(i * 4, true),
      );
      const feeds: Readonly<Record<string, Tensor>> = {
        [input.name]: { type: 'float', dims: [1, ...input.shape], data },
      };
      const logits = (await session.run(feeds))[output.name];
      if (!(logits?.data instanceof Float32Array) || logits.data.length !== output.classes.length) {
        throw new RefusedError(
          'model-unreadable',
          `Model output ${output.name}: expected ${output.classes.length} float logits a sample, got ${logits ? `${logits.type} [${logits.dims.join(', ')}]` : 'none'}.`,
        );
      }
      return logits.data;
    },
    close: () => session.close(),
  };
}
