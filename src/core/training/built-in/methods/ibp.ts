import { encodeModel, floatTensor, graphBuilder, openSession, type Tensor } from '../../../onnx/index.js';
import { accuracyOf } from '../accuracy.js';
import { worstCaseLogits } from '../interval-bounds.js';
import { meanCrossEntropy, sum } from '../losses.js';
import type { Problem } from '../problem.js';
import { rampAt } from '../schedule.js';
import type { SpecOf, TrainingMethod } from './method.js';

/**
 * κ times the clean cross-entropy plus 1 − κ times that of logits which no point of the ball can make worse, by interval
 * bounds. With the ramp, ε grows from 0 and κ falls from 1 to its final value. The metric `boundedValidationAccuracy` is the
 * share of validation samples whose bounds exclude a wrong answer; rounding is not accounted for, so it is no certificate.
 *
 * Source: Gowal, Dvijotham, Stanforth, Bunel, Qin, Uesato, Arandjelović, Mann, Kohli, "On the effectiveness of interval
 * bound propagation for training verifiably robust models", 2018, sections 3 and 4.
 */
export const ibp: TrainingMethod<SpecOf<'ibp'>> = {
  addLoss: (step) => {
    const { builder, logits, batchInput, scalarInput, targets, labels, network, bound } = step;
    const input = batchInput('input');
    const interval = { lower: batchInput('lower'), upper: batchInput('upper') };
    const worst = worstCaseLogits(builder, network, bound.weight, interval, labels);
    const parts = [
      [scalarInput('cleanShare'), logits(input)],
      [scalarInput('worstShare'), worst],
    ] as const;
    const [clean, robust] = parts.map(
      ([share, answers]) => builder.op('Mul', [meanCrossEntropy(builder, answers, targets), share])[0],
    );
    return sum(builder, clean!, robust!);
  },
  prepare: async (problem, { epsilon, kappa, ramp }) => ({
    feeds: async ({ clean, indices, epochsDone }) => {
      const share = rampAt(ramp, epochsDone);
      const worstShare = (1 - kappa) * share;
      return {
        input: floatTensor([indices.length, ...problem.network.shape], clean),
        ...intervalAround(problem, clean, epsilon * share),
        cleanShare: floatTensor([], [1 - worstShare]),
        worstShare: floatTensor([], [worstShare]),
      };
    },
    metrics: async (theta) => ({
      boundedValidationAccuracy: await boundedAccuracy(problem, theta, epsilon),
    }),
    close: async () => undefined,
  }),
};

/** The ball around samples, cut to the valid range. */
function intervalAround({ network, minimum, maximum }: Problem, clean: Float32Array, epsilon: number) {
  const size = minimum.length;
  const dims = [clean.length / size, ...network.shape];
  return {
    lower: floatTensor(
      dims,
      clean.map((value, i) => Math.max(minimum[i % size]!, value - epsilon)),
    ),
    upper: floatTensor(
      dims,
      clean.map((value, i) => Math.min(maximum[i % size]!, value + epsilon)),
    ),
  };
}

/** The share of validation samples that no point of their ball takes to another class, by interval bounds. */
async function boundedAccuracy(problem: Problem, theta: Tensor, epsilon: number): Promise<number> {
  const { network, validation } = problem;
  const builder = graphBuilder(network.opset);
  const rows = (name: string): string => builder.input(name, 'float', ['N', ...network.shape]);
  const { weight } = network.bind(builder, builder.input('theta', 'float', [network.count]));
  const interval = { lower: rows('lower'), upper: rows('upper') };
  const labels = builder.input('labels', 'float', ['N', network.classes]);
  const worst = worstCaseLogits(builder, network, weight, interval, labels);
  builder.output('logits', 'float', ['N', network.classes], worst);
  const session = await openSession(encodeModel(builder.toModel()), { place: 'inline' });
  try {
    return await accuracyOf(validation, network.classes, async (inputs, labelRows) => {
      const { logits } = await session.run({
        theta,
        labels: labelRows,
        ...intervalAround(problem, inputs, epsilon),
      });
      return logits!.data as Float32Array;
    });
  } finally {
    await session.close();
  }
}
