import { floatTensor } from '../../../onnx/index.js';
import { randomStream } from '../../../random/index.js';
import { product } from '../layers.js';
import type { SpecOf, TrainingMethod } from './method.js';
import { plain } from './plain.js';

/**
 * The cross-entropy of samples with normal noise, which is not clipped into the valid range: randomized smoothing
 * asks the model about just such inputs.
 *
 * Source: Cohen, Rosenfeld, Kolter, "Certified adversarial robustness via randomized smoothing", ICML 2019, section 3.3.
 */
export const gaussian: TrainingMethod<SpecOf<'gaussian'>> = {
  addLoss: (step) => plain.addLoss(step, undefined),
  prepare: async ({ network, train, seed }, { sigma }) => ({
    feeds: async ({ indices, clean, epoch }) => {
      const size = product(network.shape);
      const noisy = clean.slice();
      indices.forEach((index, row) => {
        const stream = randomStream(seed, 'gaussian', epoch, train.ids[index]!);
        for (let i = row * size; i < (row + 1) * size; i++) noisy[i]! += sigma * stream.normal();
      });
      return { input: floatTensor([indices.length, ...network.shape], noisy) };
    },
    close: async () => undefined,
  }),
};
