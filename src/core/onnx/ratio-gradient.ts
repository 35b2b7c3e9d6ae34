import { differentiate } from './differentiate.js';
import { attribute, type GraphBuilder } from './graph-builder.js';
import { importClassifier } from './import-classifier.js';
import type { Model } from './model.js';
import type { NoiseInput } from './noise-inputs.js';
import {
  add,
  divide,
  floatOf,
  multiply,
  reduceSum,
  scalar,
  scale,
  slice,
  subtract,
  unsqueeze,
  where,
} from './operators/emit.js';
import { int64Tensor, int64Vector } from './tensor.js';

/** Names of the inputs and outputs of a ratio-gradient model. */
export const ratioGradientNames = {
  input: 'input',
  labels: 'labels',
  targets: 'targets',
  gradient: 'gradient',
  logits: 'logits',
} as const;

/** Away from the label, or towards a target: Auto-PGD's two ratios. */
export type RatioAim = 'away' | 'towards';

/** A width of zero must divide. */
const LEAST_WIDTH = 1e-12;

/**
 * Builds from a classifier the model whose one run gives the logits, and the gradient of a difference of logits ratio: of
 * a rival's logit minus the label's, in parts of a width. Away from the label, the rival is the likeliest other class, and
 * the width is that from the largest logit to the third largest; towards a target, the rival is the target, and the width
 * ends halfway between the third and the fourth. With three classes or fewer there is no width, and the difference itself
 * is taken.
 *
 * Inputs: `input` float [N, …], `labels` int64 [N], and towards targets `targets` int64 [N], each from 0 to C − 1.
 * Outputs: `gradient` float [N, …], each sample's with respect to its own input, times that sample's width, which is
 * positive: logits of any scale have it in float32. `logits` float [N, C], a final Softmax looked through. Where the target
 * is the label, the gradient is zero.
 *
 * Source: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, sections 4.1 and 4.2.
 *
 * @param noise - inputs that the model has beside its own: see `withNoiseInputs`
 * @throws RefusedError `operator-unsupported` as for `lossGradientModel`
 */
export function ratioGradientModel(model: Model, aim: RatioAim, noise: readonly NoiseInput[] = []): Model {
  const names = ratioGradientNames;
  const { b, batch, dims, logits, classes } = importClassifier(model, noise);
  b.input(names.labels, 'int64', [batch]);
  if (aim === 'towards') b.input(names.targets, 'int64', [batch]);
  const weights = derivatives(b, logits, classes, aim);
  b.output(names.gradient, 'float', dims, differentiate(b, logits, [names.input], weights)[names.input]);
  b.output(names.logits, 'float', [batch, classes], logits);
  return b.toModel();
}

/** One class a sample. */
interface Place {
  /** [N, C]: one at the class, zero elsewhere. */
  readonly ones: string;
  /** [N, 1] */
  readonly logit: string;
}

/** The ratio's derivatives by the logits [N, C], times the width: with r the ratio, rival − label − r · (width's ends). */
function derivatives(b: GraphBuilder, logits: string, classes: number, aim: RatioAim): string {
  const numbers = b.constant(
    int64Tensor(
      [1, classes],
      Array.from({ length: classes }, (_, c) => c),
    ),
    'classes',
  );
  /** @param chosen - class numbers [N, 1] */
  const at = (chosen: string): Place => {
    const [isChosen] = b.op('Equal', [chosen, numbers]);
    // By a mask: an infinite logit times zero would be no number.
    return {
      ones: floatOf(b, isChosen),
      logit: reduceSum(b, where(b, isChosen, logits, scalar(b, 0)), [1], true),
    };
  };
  const labels = unsqueeze(b, ratioGradientNames.labels, [1]);
  const label = at(labels);
  const rival = at(
    aim === 'towards'
      ? unsqueeze(b, ratioGradientNames.targets, [1])
      : likeliestOther(b, logits, labels, numbers),
  );
  const apart = subtract(b, rival.ones, label.ones);
  if (classes <= 3) return apart;

  const [, order] = b.op(
    'TopK',
    [logits, b.constant(int64Vector([4]), 'four')],
    { axis: attribute.int(1) },
    2,
  );
  const ranked = (rank: number) => at(slice(b, order, [1], [rank], [rank + 1]));
  const [first, third] = [ranked(0), ranked(2)];
  const last = aim === 'away' ? third : halfway(b, third, ranked(3));
  const width = add(b, subtract(b, first.logit, last.logit), scalar(b, LEAST_WIDTH));
  const ratio = divide(b, subtract(b, rival.logit, label.logit), width);
  return subtract(b, apart, multiply(b, ratio, subtract(b, first.ones, last.ones)));
}

/** [N, 1] class numbers. */
function likeliestOther(b: GraphBuilder, logits: string, labels: string, numbers: string): string {
  const [isLabel] = b.op('Equal', [labels, numbers]);
  const others = where(b, isLabel, scalar(b, Number.NEGATIVE_INFINITY), logits);
  return b.op('ArgMax', [others], { axis: attribute.int(1) })[0];
}

const halfway = (b: GraphBuilder, one: Place, other: Place): Place => ({
  ones: scale(b, add(b, one.ones, other.ones), 0.5),
  logit: scale(b, add(b, one.logit, other.logit), 0.5),
});
