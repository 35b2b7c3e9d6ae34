import { floatTensor, type OnnxSession, type Tensor } from '../../onnx/index.js';
import { randomStream } from '../../random/index.js';
import type { AdversarialSpec } from '../../spec/index.js';
import { gatherRows } from './batch.js';
import { product } from './layers.js';
import type { Problem } from './problem.js';

/**
 * The inner maximisation of adversarial training: sign steps up the loss inside the L∞ ball and the valid range, from a
 * uniform random start that only (seed, epoch, sample id) determine, whatever batch the sample is in.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks",
 * ICLR 2018, section 2.1.
 *
 * @param ascent - a session of `ascentModel` for the problem's network
 * @returns the adversarial twins of the training samples at `indices`, as a tensor [indices.length, …shape]
 */
export function createAdversary(
  { train, minimum, maximum, shape, seed }: Problem,
  spec: AdversarialSpec,
  ascent: OnnxSession,
): (theta: Tensor, indices: Uint32Array, targets: Tensor, epoch: number) => Promise<Tensor> {
  const size = product(shape);
  const lower = train.inputs.map((value, i) => Math.max(minimum[i % size]!, value - spec.epsilon));
  const upper = train.inputs.map((value, i) => Math.min(maximum[i % size]!, value + spec.epsilon));
  const stepSize = floatTensor([], [spec.stepSize ?? (2.5 * spec.epsilon) / spec.steps]);

  return async (theta, indices, targets, epoch) => {
    const dims = [indices.length, ...shape];
    const start = gatherRows(train.inputs, size, indices);
    const bounds = {
      lower: floatTensor(dims, gatherRows(lower, size, indices)),
      upper: floatTensor(dims, gatherRows(upper, size, indices)),
    };
    indices.forEach((index, row) => {
      const stream = randomStream(seed, 'pgd', epoch, train.ids[index]!);
      for (let i = row * size; i < (row + 1) * size; i++) {
        const drawn = start[i]! + (2 * stream.uniform() - 1) * spec.epsilon;
        start[i] = Math.min(bounds.upper.data[i] as number, Math.max(bounds.lower.data[i] as number, drawn));
      }
    });
    let input = floatTensor(dims, start);
    for (let step = 0; step < spec.steps; step++) {
      const { next } = await ascent.run({ theta, input, targets, stepSize, ...bounds });
      input = next!;
    }
    return input;
  };
}
