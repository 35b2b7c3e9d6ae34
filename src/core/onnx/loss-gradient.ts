import { differentiate } from './differentiate.js';
import { attribute, type GraphBuilder } from './graph-builder.js';
import { importClassifier } from './import-classifier.js';
import type { Model } from './model.js';
import type { NoiseInput } from './noise-inputs.js';
import { negate, reduceSum, scalar, unsqueeze, where } from './operators/emit.js';
import { int64Tensor } from './tensor.js';

/** Names of the inputs and outputs of a loss-gradient model. */
export const lossGradientNames = {
  input: 'input',
  labels: 'labels',
  loss: 'loss',
  gradient: 'gradient',
  logits: 'logits',
} as const;

/**
 * Builds from a classifier the model that an attacker with its file would build.
 *
 * Inputs: `input` float [N, …] and `labels` int64 [N], each from 0 to C − 1. Outputs: `loss` float [N], each sample's
 * cross-entropy; `gradient` float [N, …], of each sample's own loss with respect to its own input, whatever the batch;
 * `logits` float [N, C]. A final Softmax is looked through, since its saturation would hide gradients; so `logits`
 * are then the values before it. A label outside 0 … C − 1 gives the loss NaN.
 *
 * @param model - a classifier with one float input [N, …] and one float output [N, C]
 * @param noise - inputs that the model has beside its own: see `withNoiseInputs`
 * @throws RefusedError `operator-unsupported` naming the node or the value that is not as expected
 */
export function lossGradientModel(model: Model, noise: readonly NoiseInput[] = []): Model {
  const { b, batch, dims, logits, classes } = importClassifier(model, noise);
  b.input(lossGradientNames.labels, 'int64', [batch]);
  const loss = crossEntropy(b, logits, classes);
  const gradients = differentiate(b, loss, [lossGradientNames.input]);
  b.output(lossGradientNames.loss, 'float', [batch], loss);
  b.output(lossGradientNames.gradient, 'float', dims, gradients[lossGradientNames.input]);
  b.output(lossGradientNames.logits, 'float', [batch, classes], logits);
  return b.toModel();
}

/** −log softmax(logits)[label] of each sample; by a mask, since 0·(−∞) would spoil a sum over one-hot products. */
function crossEntropy(b: GraphBuilder, logits: string, classes: number): string {
  const { labels } = lossGradientNames;
  const numbers = b.constant(
    int64Tensor(
      [1, classes],
      Array.from({ length: classes }, (_, i) => i),
    ),
    'classes',
  );
  const [isLabel] = b.op('Equal', [unsqueeze(b, labels, [1]), numbers]);
  const [logProbabilities] = b.op('LogSoftmax', [logits], { axis: attribute.int(1) });
  const chosen = reduceSum(b, where(b, isLabel, logProbabilities, scalar(b, 0)), [1], false);
  const [below] = b.op('Less', [labels, b.constant(int64Tensor([], [0]), 'first')]);
  const [above] = b.op('Greater', [labels, b.constant(int64Tensor([], [classes - 1]), 'last')]);
  return where(b, b.op('Or', [below, above])[0], scalar(b, Number.NaN), negate(b, chosen));
}
