import { floatTensor, openSession } from '../../../onnx/index.js';
import { randomStream } from '../../../random/index.js';
import { ascentModel, climb } from '../ascent.js';
import { probabilitiesModel } from '../graphs.js';
import { logSoftmax, meanCrossEntropy, meanOf, scaled, sum, sumOver } from '../losses.js';
import { rampAt } from '../schedule.js';
import type { SpecOf, TrainingMethod } from './method.js';

/** Deviation of the start around a sample, where the divergence itself has no gradient; as in the authors' code. */
const startDeviation = 0.001;

/**
 * The clean cross-entropy plus β times KL(answers on the sample ‖ answers on the point of its ball where they differ
 * most). Gradients pass through both answers. The inner search climbs the cross-entropy against the clean answers, which
 * is the divergence up to a constant.
 *
 * Source: Zhang, Yu, Jiao, Xing, El Ghaoui, Jordan, "Theoretically principled trade-off between robustness and accuracy",
 * ICML 2019, section 3.2, algorithm 1.
 */
export const trades: TrainingMethod<SpecOf<'trades'>> = {
  addLoss: ({ builder, logits, batchInput, targets }, { beta }) => {
    const clean = logits(batchInput('input'));
    const before = logSoftmax(builder, clean);
    const after = logSoftmax(builder, logits(batchInput('adversarial')));
    const [difference] = builder.op('Sub', [before, after]);
    const [weighed] = builder.op('Mul', [builder.op('Exp', [before])[0], difference]);
    const divergence = meanOf(builder, sumOver(builder, weighed, [1], false));
    return sum(builder, meanCrossEntropy(builder, clean, targets), scaled(builder, divergence, beta, 'beta'));
  },
  prepare: async ({ network, train, minimum, maximum, seed }, spec) => {
    const { norm, epsilon, steps, stepSize = (2.5 * epsilon) / steps, ramp } = spec;
    const ascent = await openSession(ascentModel(network, norm), { place: 'inline' });
    const answers = await openSession(probabilitiesModel(network), { place: 'inline' });
    return {
      feeds: async ({ theta, indices, clean, epoch, epochsDone }) => {
        const input = floatTensor([indices.length, ...network.shape], clean);
        const { probabilities } = await answers.run({ theta, input });
        const share = rampAt(ramp, epochsDone);
        const ball = { norm, epsilon: epsilon * share, steps, stepSize: stepSize * share };
        const start = (values: Float32Array, row: number): void => {
          const stream = randomStream(seed, 'trades', epoch, train.ids[indices[row]!]!);
          for (let i = 0; i < values.length; i++) values[i]! += startDeviation * stream.normal();
        };
        const range = { minimum, maximum };
        const away = probabilities!;
        return {
          input,
          adversarial: await climb(ascent, ball, range, network.shape, theta, clean, away, start),
        };
      },
      close: async () => {
        await ascent.close();
        await answers.close();
      },
    };
  },
};
