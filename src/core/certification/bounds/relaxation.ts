import { bandAround } from './activation.js';
import { up } from './arithmetic.js';
import { type Range, seen } from './intervals.js';
import type { Elementwise, Maximum } from './network.js';

/**
 * Linear bounds of a nonlinear step, one pair an element of its result: lowerSlope·x + lowerOffset ≤ y ≤ upperSlope·x +
 * upperOffset, x being one element of the input as the runtime has it.
 */
export interface Relaxation {
  readonly lowerSlope: Float64Array;
  readonly lowerOffset: Float64Array;
  readonly upperSlope: Float64Array;
  readonly upperOffset: Float64Array;
  /** Which element x is; for the lower and the upper bound alike. */
  readonly sources: Int32Array;
  /** At least what the bounds of each element add up to in absolute value. */
  readonly size: Float64Array;
}

const empty = (size: number): Relaxation => ({
  lowerSlope: new Float64Array(size),
  lowerOffset: new Float64Array(size),
  upperSlope: new Float64Array(size),
  upperOffset: new Float64Array(size),
  sources: Int32Array.from({ length: size }, (_, i) => i),
  size: new Float64Array(size),
});

export function relax(step: Elementwise | Maximum, input: Range, output: Range): Relaxation {
  const relaxation =
    step.kind === 'elementwise' ? relaxElementwise(step, input) : relaxMaximum(step, input, output);
  for (let i = 0; i < relaxation.size.length; i++) relaxation.size[i] = sizeOf(relaxation, input, i);
  return relaxation;
}

function relaxElementwise({ activationOf }: Elementwise, range: Range): Relaxation {
  const relaxation = empty(range.lower.length);
  for (let i = 0; i < range.lower.length; i++) {
    const { low, high } = seen(range, i);
    const activation = activationOf(i);
    const slopes = low < high ? activation.slopes(low, high) : { lower: 0, upper: 0 };
    relaxation.lowerSlope[i] = slopes.lower;
    relaxation.upperSlope[i] = slopes.upper;
    relaxation.lowerOffset[i] = bandAround(activation, slopes.lower, low, high).lower;
    relaxation.upperOffset[i] = bandAround(activation, slopes.upper, low, high).upper;
  }
  return relaxation;
}

/** At least the element with the largest lower bound; that element itself where no other can be larger. */
function relaxMaximum({ starts, sources }: Maximum, range: Range, { upper }: Range): Relaxation {
  const relaxation = empty(starts.length - 1);
  for (let i = 0; i + 1 < starts.length; i++) {
    let best = sources[starts[i]!]!;
    for (let at = starts[i]! + 1; at < starts[i + 1]!; at++) {
      if (seen(range, sources[at]!).low > seen(range, best).low) best = sources[at]!;
    }
    const { low } = seen(range, best);
    let isLargest = true;
    for (let at = starts[i]!; at < starts[i + 1]!; at++) {
      isLargest &&= sources[at] === best || seen(range, sources[at]!).high <= low;
    }
    relaxation.sources[i] = best;
    relaxation.lowerSlope[i] = 1;
    relaxation.upperSlope[i] = isLargest ? 1 : 0;
    relaxation.upperOffset[i] = isLargest ? 0 : upper[i]!;
  }
  return relaxation;
}

function sizeOf(relaxation: Relaxation, { magnitude, error }: Range, i: number): number {
  const { lowerSlope, lowerOffset, upperSlope, upperOffset, sources } = relaxation;
  const source = sources[i]!;
  const slope = Math.max(Math.abs(lowerSlope[i]!), Math.abs(upperSlope[i]!));
  const offset = Math.max(Math.abs(lowerOffset[i]!), Math.abs(upperOffset[i]!));
  return up(up(slope * up(magnitude[source]! + error[source]!)) + offset);
}
