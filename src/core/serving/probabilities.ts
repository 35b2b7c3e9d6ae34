import { RefusedError } from '../errors/index.js';

/**
 * Softmax of one row of logits, in float64 with the largest logit subtracted first, so that no finite input overflows
 * (Blanchard, Higham & Higham 2021, "Accurately computing the log-sum-exp and softmax functions", algorithm 3.2).
 *
 * @param logits - one finite value a class; at least one
 * @returns as many values in [0, 1]; they sum to 1 within rounding and keep the order of the logits
 * @throws RefusedError `prediction-undefined` when a logit is not finite: a model that overflows has no answer to hide
 */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < logits.length; index += 1) {
    const logit = logits[index]!;
    if (!Number.isFinite(logit)) {
      throw new RefusedError(
        'prediction-undefined',
        `expected finite logits, got ${logit} for class ${index}`,
      );
    }
    largest = Math.max(largest, logit);
  }
  const probabilities = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = probabilities.reduce((total, value) => total + value, 0);
  return probabilities.map((value) => value / sum);
}

/** Index of the largest value; the smallest such index on ties, so that equal inputs give equal labels. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if (values[index]! > values[best]!) best = index;
  }
  return best;
}
