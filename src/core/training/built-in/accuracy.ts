import type { Dataset } from '../../data/index.js';
import { floatTensor, type OnnxSession, type Tensor } from '../../onnx/index.js';
import { oneHot } from './batch.js';
import type { Network } from './network.js';

/** Samples a run: bounds memory, and changes no result. */
const batchSize = 256;

/**
 * The share of samples whose largest logit is the one of their label; 0 for no samples.
 *
 * @param answer - logits [rows, classes] of some rows of inputs; `labels` are theirs, one-hot, and `from` is the number of
 * the first one
 */
export async function accuracyOf(
  { inputs, labels }: Dataset,
  classes: number,
  answer: (inputs: Float32Array, labels: Tensor, from: number) => Promise<Float32Array>,
): Promise<number> {
  const size = inputs.length / labels.length;
  let correct = 0;
  for (let from = 0; from < labels.length; from += batchSize) {
    const to = Math.min(labels.length, from + batchSize);
    const indices = Uint32Array.from({ length: to - from }, (_, row) => from + row);
    const values = await answer(
      inputs.subarray(from * size, to * size),
      oneHot(labels, classes, indices),
      from,
    );
    for (let row = 0; row < to - from; row++) {
      const scores = values.subarray(row * classes, (row + 1) * classes);
      if (scores.indexOf(Math.max(...scores)) === labels[from + row]) correct += 1;
    }
  }
  return labels.length === 0 ? 0 : correct / labels.length;
}

/** How a session of `logitsModel` answers with some weights. */
export function answersOf(
  session: OnnxSession,
  { shape }: Network,
  theta: Float32Array,
): (inputs: Float32Array, labels: Tensor) => Promise<Float32Array> {
  return async (inputs, { dims }) => {
    const { logits } = await session.run({
      theta: floatTensor([theta.length], theta),
      input: floatTensor([dims[0]!, ...shape], inputs),
    });
    return logits!.data as Float32Array;
  };
}
