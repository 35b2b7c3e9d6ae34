import type { LogitBounds } from './bounds-over.js';
import type { Network } from './network.js';

/** One row for each other class, in order: the logit of `predicted` less its own. */
export function marginRows(classes: number, predicted: number): readonly Float64Array[] {
  return unitRows(classes, 1)
    .map((row) => row.map((value, c) => (c === predicted ? 1 : 0) - value))
    .filter((row) => row.some((value) => value !== 0));
}

/** Rows that pick each logit, or its negative. */
function unitRows(classes: number, sign: 1 | -1): readonly Float64Array[] {
  return Array.from({ length: classes }, (_, c) => {
    const row = new Float64Array(classes);
    row[c] = sign;
    return row;
  });
}

/**
 * Whether a class is ahead of all others in what the model answers. Where it answers with the Softmax of its logits, as
 * float32 numbers, logits must differ by more than that rounds away: their difference to the largest is rounded once, and
 * the exponential and the quotient are off by at most a few units in the last place.
 *
 * @param margins - lower bounds of {@link marginRows}
 */
export function isAhead(
  { classes, hasSoftmax }: Pick<Network, 'classes' | 'hasSoftmax'>,
  margins: Float64Array,
  bounds: LogitBounds,
): boolean {
  if (!hasSoftmax) return margins.every((margin) => margin > 0);
  const least = bounds([...unitRows(classes, 1), ...unitRows(classes, -1)]);
  const largest = least.reduce((most, bound) => Math.max(most, Math.abs(bound)), 0);
  const rounding = 2 ** -20 * (1 + largest);
  // Far behind, probabilities vanish, and the one ahead stays.
  return margins.every((margin) => margin > rounding);
}
