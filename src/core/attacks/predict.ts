import type { Classifier } from './attack.js';
import { margin } from './losses.js';

/** What a model says that has no finite logits: no class, and so always a misclassification. */
export const NO_CLASS = -1;

/**
 * The class that one row of logits predicts: the first of the largest, or {@link NO_CLASS} when any logit is not finite.
 *
 * @param logits - rows of `classes` values
 * @param row - which of them
 */
export function predictedClass(logits: Float32Array, classes: number, row = 0): number {
  let best = 0;
  for (let c = 0; c < classes; c++) {
    const value = logits[row * classes + c]!;
    if (!Number.isFinite(value)) return NO_CLASS;
    if (value > logits[row * classes + best]!) best = c;
  }
  return best;
}

/**
 * Whether an attack may take a row of logits for a misclassification: the label is not the predicted class, and of a
 * randomised model's mean, by enough for most of its answers to be wrong.
 */
export function isMisclassified(
  { classes, randomness }: Pick<Classifier, 'classes' | 'randomness'>,
  logits: Float32Array,
  row: number,
  label: number,
): boolean {
  const predicted = predictedClass(logits, classes, row);
  if (predicted === label) return false;
  if (predicted === NO_CLASS || randomness === undefined) return true;
  return margin(logits.subarray(row * classes, (row + 1) * classes), label) > randomness.certainty;
}
