import { differentiate, encodeModel, floatTensor, graphBuilder, openSession } from '../../../onnx/index.js';
import { product } from '../layers.js';
import { logLikelihood, meanCrossEntropy, meanOf, scaled, sum } from '../losses.js';
import type { Network } from '../network.js';
import type { SpecOf, TrainingMethod } from './method.js';

/**
 * The cross-entropy plus a weight times the squared norm of its gradient at the input, taken as the finite difference
 * ((ℓ(x + h·d) − ℓ(x)) / h)² along the direction d in which the loss rises most. It needs no second derivative: d is held
 * fixed, and the two losses are ordinary passes. Against L2 attacks d is the gradient divided by its norm, against L∞
 * attacks its sign divided by √n, and what is penalised is the L2 and the (scaled) L1 norm.
 *
 * Source: Finlay, Oberman, "Scaleable input gradient regularization for adversarial robustness", Machine Learning with
 * Applications 3, 2021, section 3.2.
 */
export const gradientPenalty: TrainingMethod<SpecOf<'gradient-penalty'>> = {
  addLoss: ({ builder, logits, batchInput, targets, labels }, { weight, difference }) => {
    const here = logits(batchInput('input'));
    const there = logits(batchInput('shifted'));
    const [fall] = builder.op('Sub', [
      logLikelihood(builder, here, labels),
      logLikelihood(builder, there, labels),
    ]);
    const slope = scaled(builder, fall, 1 / difference, 'perLength');
    const penalty = meanOf(builder, builder.op('Mul', [slope, slope])[0]);
    return sum(builder, meanCrossEntropy(builder, here, targets), scaled(builder, penalty, weight, 'weight'));
  },
  prepare: async ({ network }, { dual, difference }) => {
    const slopes = await openSession(gradientModel(network), { place: 'inline' });
    const size = product(network.shape);
    return {
      feeds: async ({ theta, indices, clean, labels }) => {
        const dims = [indices.length, ...network.shape];
        const input = floatTensor(dims, clean);
        const { gradient } = await slopes.run({ theta, input, labels });
        const steepest = gradient!.data as Float32Array;
        const shifted = clean.slice();
        for (let from = 0; from < shifted.length; from += size) {
          const row = steepest.subarray(from, from + size);
          const direction =
            dual === 'l2' ? unit(row) : row.map((value) => Math.sign(value) / Math.sqrt(size));
          for (let i = 0; i < size; i++) shifted[from + i]! += difference * direction[i]!;
        }
        return { input, shifted: floatTensor(dims, shifted) };
      },
      close: () => slopes.close(),
    };
  },
};

/** The gradient of each sample's loss: `theta`, `input` and `labels` to `gradient`, up to the factor 1/N. */
function gradientModel(network: Network): Uint8Array {
  const builder = graphBuilder(network.opset);
  const theta = builder.input('theta', 'float', [network.count]);
  const input = builder.input('input', 'float', ['N', ...network.shape]);
  const labels = builder.input('labels', 'float', ['N', network.classes]);
  const loss = meanCrossEntropy(builder, network.bind(builder, theta).logits(input), labels);
  const gradient = differentiate(builder, loss, [input])[input]!;
  builder.output('gradient', 'float', ['N', ...network.shape], gradient);
  return encodeModel(builder.toModel());
}

/** In float64, where the squares of the smallest gradients do not vanish; zeros stay zeros. */
function unit(row: Float32Array): Float64Array {
  let squares = 0;
  for (const value of row) squares += value * value;
  const length = Math.sqrt(squares);
  return Float64Array.from(row, (value) => (length === 0 ? 0 : value / length));
}
