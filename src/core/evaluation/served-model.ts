import { createHash } from 'node:crypto';
import { answerSmoothed } from '../certification/index.js';
import { RefusedError } from '../errors/index.js';
import { openSession, type Tensor } from '../onnx/index.js';
import { normalField } from '../random/index.js';
import type { ModelCard } from '../spec/index.js';

/** What a card says of how to talk to its model. */
export interface ServedInterface {
  readonly input: Pick<ModelCard['input'], 'name' | 'shape'>;
  readonly output: ModelCard['output'];
  readonly smoothing?: ModelCard['smoothing'];
}

/** A model as a gateway serves it. */
export interface ServedModel {
  /**
   * @param bytes - one sample, little-endian float32
   * @returns its logits; of a smoothed classifier the shares of votes, all NaN where it abstains
   */
  serve(bytes: Uint8Array): Promise<Float32Array>;
  /** Many samples at once, without any smoothing. @param inputs - n·size values @returns n·classes logits */
  logits(inputs: Float32Array, n: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens the model file itself, not a graph made from it, for one request at a time, smoothed where its card says so.
 *
 * @param seed - of the noise, which depends on the sample's bytes besides
 * @throws RefusedError `model-unreadable` when it does not load, or does not give what its card says
 */
export async function openServedModel(
  onnx: Uint8Array,
  { input, output, smoothing }: ServedInterface,
  seed = 0,
): Promise<ServedModel> {
  const session = await openSession(onnx, { place: 'thread' });
  const logits = async (inputs: Float32Array, n: number): Promise<Float32Array> => {
    const feeds: Readonly<Record<string, Tensor>> = {
      [input.name]: { type: 'float', dims: [n, ...input.shape], data: inputs },
    };
    const answer = (await session.run(feeds))[output.name];
    if (!(answer?.data instanceof Float32Array) || answer.data.length !== n * output.classes.length) {
      throw new RefusedError(
        'model-unreadable',
        `Model output ${output.name}: expected ${output.classes.length} float logits a sample, got ${answer ? `${answer.type} [${answer.dims.join(', ')}]` : 'none'}.`,
      );
    }
    return answer.data;
  };
  return {
    logits,
    async serve(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const data = Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) =>
        view.getFloat32(i * 4, true),
      );
      if (smoothing === undefined) return await logits(data, 1);
      const noise = normalField(seed, 'served', createHash('sha256').update(bytes).digest('hex'));
      const base = { classes: output.classes.length, logits };
      const { predicted, shares } = await answerSmoothed(base, data, smoothing, noise);
      return predicted < 0 ? shares.fill(Number.NaN) : shares;
    },
    close: () => session.close(),
  };
}
