import { openSession } from '../../../onnx/index.js';
import { randomStream } from '../../../random/index.js';
import type { RampSpec } from '../../../spec/index.js';
import { ascentModel, type Ball, climb, drawFromBall } from '../ascent.js';
import type { Problem } from '../problem.js';
import { rampAt } from '../schedule.js';
import type { Preparation } from './method.js';

/**
 * The inner maximisation of adversarial training: the input `input` of a step is the end of a climb up the cross-entropy
 * from a uniform start in the ball.
 *
 * @param label - names the draws of the method
 * @param ball - at its full radius; radius and steps grow together with the ramp
 */
export async function preparePerturbed(
  { network, train, minimum, maximum, seed }: Problem,
  label: string,
  ball: Ball,
  ramp: RampSpec | undefined,
): Promise<Preparation> {
  const ascent = await openSession(ascentModel(network, ball.norm), { place: 'inline' });
  return {
    feeds: async ({ theta, indices, clean, labels, epoch, epochsDone }) => {
      const share = rampAt(ramp, epochsDone);
      const now = { ...ball, epsilon: ball.epsilon * share, stepSize: ball.stepSize * share };
      const start = (values: Float32Array, row: number): void => {
        const stream = randomStream(seed, label, epoch, train.ids[indices[row]!]!);
        drawFromBall(values, ball.norm, now.epsilon, stream);
      };
      const range = { minimum, maximum };
      return { input: await climb(ascent, now, range, network.shape, theta, clean, labels, start) };
    },
    close: () => ascent.close(),
  };
}
