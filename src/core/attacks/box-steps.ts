import { clampByProducts } from './clamp.js';
import type { Reach } from './projection.js';

/**
 * Steps of attacks in an L∞ ball, each in one loop over the values: beside the model, nothing takes as much of an attack's
 * time. They choose between numbers by products with 0 and 1, since of the branches that gradients take processors guess
 * half wrong.
 */

/** A step along the signs of the gradient, moved into the box. @param next - where to write it */
export function stepInBox(
  { samples: { inputs }, box: { lower, upper } }: Reach,
  index: number,
  point: Float32Array,
  gradient: Float32Array,
  length: number,
  next: Float32Array,
): void {
  const from = index * next.length;
  for (let i = 0; i < next.length; i++) {
    const at = from + i;
    const wish = point[i]! + length * signOrZero(gradient[i]!);
    next[i] = clampByProducts(wish, lower[at]!, upper[at]!, inputs[at]!);
  }
}

/**
 * The same with momentum: a share of the way there, and the rest from where the point came from.
 *
 * @param before - the point before
 * @param share - of the step itself
 */
export function momentumStepInBox(
  { samples: { inputs }, box: { lower, upper } }: Reach,
  index: number,
  point: Float32Array,
  before: Float32Array,
  gradient: Float32Array,
  length: number,
  share: number,
  next: Float32Array,
): void {
  const from = index * next.length;
  for (let i = 0; i < next.length; i++) {
    const at = from + i;
    const here = point[i]!;
    const wish = here + length * signOrZero(gradient[i]!);
    const stepped = Math.fround(clampByProducts(wish, lower[at]!, upper[at]!, inputs[at]!));
    const moved = here + share * (stepped - here) + (1 - share) * (here - before[i]!);
    next[i] = clampByProducts(moved, lower[at]!, upper[at]!, inputs[at]!);
  }
}

/** A gradient that is not a number says nothing, like one that is zero. */
export function signOrZero(value: number): number {
  return Number(value > 0) - Number(value < 0);
}
