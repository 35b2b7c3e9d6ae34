import type { Norm } from '../spec/index.js';

/**
 * The distance between two inputs of equal length, in float64: the largest absolute difference of a value (`linf`), the
 * Euclidean length of the difference (`l2`), or the sum of absolute differences (`l1`).
 */
export function distance(norm: Norm, one: ArrayLike<number>, other: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < one.length; i++) {
    const difference = Math.abs(one[i]! - other[i]!);
    if (norm === 'l2') total += difference * difference;
    else if (norm === 'l1') total += difference;
    // Not Math.max's order: a difference that is not a number must not be lost.
    else if (!(difference <= total)) total = difference;
  }
  return norm === 'l2' ? Math.sqrt(total) : total;
}
