import type { Dataset } from '../../data/index.js';
import { floatTensor, type OnnxSession } from '../../onnx/index.js';
import { product } from './layers.js';

/** Samples a run: bounds memory, and changes no result. */
const batchSize = 256;

/**
 * The share of samples whose largest logit is the one of their label; 0 for no samples.
 *
 * @param session - of `logitsModel`
 */
export async function accuracyOf(
  session: OnnxSession,
  theta: Float32Array,
  { inputs, labels }: Dataset,
  shape: readonly number[],
  classes: number,
): Promise<number> {
  const size = product(shape);
  let correct = 0;
  for (let from = 0; from < labels.length; from += batchSize) {
    const to = Math.min(labels.length, from + batchSize);
    const { logits } = await session.run({
      theta: floatTensor([theta.length], theta),
      input: floatTensor([to - from, ...shape], inputs.subarray(from * size, to * size)),
    });
    const values = logits!.data as Float32Array;
    for (let row = 0; row < to - from; row++) {
      const scores = values.subarray(row * classes, (row + 1) * classes);
      if (scores.indexOf(Math.max(...scores)) === labels[from + row]) correct += 1;
    }
  }
  return labels.length === 0 ? 0 : correct / labels.length;
}
