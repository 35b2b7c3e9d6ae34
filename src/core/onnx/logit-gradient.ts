import { differentiate } from './differentiate.js';
import { importClassifier } from './import-classifier.js';
import type { Model } from './model.js';
import type { NoiseInput } from './noise-inputs.js';

/** Names of the inputs and outputs of a logits model and of a logit-gradient model. */
export const logitGradientNames = {
  input: 'input',
  weights: 'weights',
  gradient: 'gradient',
  logits: 'logits',
} as const;

/**
 * Builds from a classifier the model of its logits alone. Input: `input` float [N, …]. Output: `logits` float [N, C], a
 * final Softmax looked through.
 *
 * @param noise - inputs that the model has beside its own: see `withNoiseInputs`
 * @throws RefusedError `operator-unsupported` as for `lossGradientModel`
 */
export function logitsModel(model: Model, noise: readonly NoiseInput[] = []): Model {
  const { b, batch, logits, classes } = importClassifier(model, noise);
  b.output(logitGradientNames.logits, 'float', [batch, classes], logits);
  return b.toModel();
}

/**
 * Builds from a classifier the model that carries any loss of its logits back to its input (a vector–Jacobian product).
 * Whoever has a loss hands in its derivatives by the logits.
 *
 * Inputs: `input` float [N, …] and `weights` float [N, C]. Output: `gradient` float [N, …], of each sample's
 * Σ over classes of weight · logit with respect to its own input.
 *
 * @param noise - inputs that the model has beside its own: see `withNoiseInputs`
 * @throws RefusedError `operator-unsupported` as for `lossGradientModel`
 */
export function logitGradientModel(model: Model, noise: readonly NoiseInput[] = []): Model {
  const { input, weights, gradient } = logitGradientNames;
  const { b, batch, dims, logits, classes } = importClassifier(model, noise);
  b.input(weights, 'float', [batch, classes]);
  b.output(gradient, 'float', dims, differentiate(b, logits, [input], weights)[input]);
  return b.toModel();
}
