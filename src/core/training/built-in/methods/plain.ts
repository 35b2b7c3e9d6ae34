import { floatTensor } from '../../../onnx/index.js';
import { meanCrossEntropy } from '../losses.js';
import type { TrainingMethod } from './method.js';

/** Empirical risk: the cross-entropy of the samples as they are. */
export const plain: TrainingMethod<undefined> = {
  addLoss: ({ builder, logits, batchInput, targets }) =>
    meanCrossEntropy(builder, logits(batchInput('input')), targets),
  prepare: async ({ network }) => ({
    feeds: async ({ clean, indices }) => ({
      input: floatTensor([indices.length, ...network.shape], clean),
    }),
    close: async () => undefined,
  }),
};
