import { signOrZero } from './box-steps.js';
import { movable, type Reach } from './projection.js';

/** Share of a sample's values that one L1 step moves, as SLIDE sets it. */
const L1_SHARE = 0.01;

/**
 * The direction of length 1 in the threat model's norm along which a function with this gradient rises fastest: its signs
 * (L∞) or the gradient itself, shortened (L2). The steepest L1 direction moves one value only, and would take forever: it
 * goes along the signs of the steepest hundredth of the values instead, of those that still have room to move.
 *
 * Source of the L1 step: Tramèr, Boneh, "Adversarial training and robustness for multiple perturbations", NeurIPS 2019,
 * section 4 and appendix (SLIDE).
 *
 * @param index - of the sample
 * @param point - where it is now
 * @param direction - where to write what is found
 * @returns `direction`
 */
export function steepest(
  reach: Reach,
  index: number,
  point: Float32Array,
  gradient: Float32Array,
  direction: Float64Array = new Float64Array(gradient.length),
): Float64Array {
  const { threat, size, box } = reach;
  if (threat.norm === 'linf') {
    for (let i = 0; i < direction.length; i++) direction[i] = signOrZero(gradient[i]!);
    return direction;
  }
  if (threat.norm === 'l2') return unitL2(movable(reach, index, gradient), direction);
  const open = Float64Array.from(gradient, (slope, i) => {
    const limit = slope > 0 ? box.upper : box.lower;
    return Number.isNaN(slope) || point[i] === limit[index * size + i] ? 0 : slope;
  });
  return steepestSigns(open, Math.max(1, Math.round(L1_SHARE * size)), direction);
}

/**
 * The signs of the `count` steepest slopes (all that equal the last of them), each divided by how many they are.
 *
 * @param signs - where to write what is found
 * @returns `signs`
 */
export function steepestSigns(
  gradient: ArrayLike<number>,
  count: number,
  signs: Float64Array = new Float64Array(gradient.length),
): Float64Array {
  const slopes = Float64Array.from(gradient, (slope) => (Number.isNaN(slope) ? 0 : Math.abs(slope)));
  const least = slopes.slice().sort()[Math.max(0, slopes.length - count)]!;
  let moved = 0;
  for (let i = 0; i < signs.length; i++) {
    signs[i] = slopes[i]! >= least ? signOrZero(gradient[i]!) : 0;
    moved += Math.abs(signs[i]!);
  }
  for (let i = 0; i < signs.length && moved > 0; i++) signs[i]! /= moved;
  return signs;
}

function unitL2(gradient: Float32Array, unit: Float64Array): Float64Array {
  let squares = 0;
  for (let i = 0; i < unit.length; i++) {
    const slope = gradient[i]!;
    if (Number.isFinite(slope)) unit[i] = slope;
    else unit[i] = Number.isNaN(slope) ? 0 : Math.sign(slope) * 2 ** 128;
    squares += unit[i]! ** 2;
  }
  const length = Math.sqrt(squares);
  for (let i = 0; i < unit.length && length > 0; i++) unit[i]! /= length;
  return unit;
}
