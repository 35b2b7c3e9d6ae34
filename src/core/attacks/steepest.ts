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
 */
export function steepest(
  reach: Reach,
  index: number,
  point: Float32Array,
  gradient: Float32Array,
): Float64Array {
  const { threat, size, box } = reach;
  if (threat.norm === 'linf') {
    const signs = new Float64Array(gradient.length);
    for (let i = 0; i < signs.length; i++) signs[i] = signOrZero(gradient[i]!);
    return signs;
  }
  if (threat.norm === 'l2') return unitL2(movable(reach, index, gradient));
  const open = Float64Array.from(gradient, (slope, i) => {
    const limit = slope > 0 ? box.upper : box.lower;
    return Number.isNaN(slope) || point[i] === limit[index * size + i] ? 0 : slope;
  });
  return steepestSigns(open, Math.max(1, Math.round(L1_SHARE * size)));
}

/** The signs of the `count` steepest slopes (all that equal the last of them), each divided by how many they are. */
export function steepestSigns(gradient: ArrayLike<number>, count: number): Float64Array {
  const slopes = Float64Array.from(gradient, (slope) => (Number.isNaN(slope) ? 0 : Math.abs(slope)));
  const least = slopes.slice().sort()[Math.max(0, slopes.length - count)]!;
  const signs = Float64Array.from(gradient, (slope, i) => (slopes[i]! >= least ? signOrZero(slope) : 0));
  const moved = signs.reduce((sum, sign) => sum + Math.abs(sign), 0);
  return moved === 0 ? signs : signs.map((sign) => sign / moved);
}

function unitL2(gradient: Float32Array): Float64Array {
  const finite = Float64Array.from(gradient, (slope) => {
    if (Number.isFinite(slope)) return slope;
    return Number.isNaN(slope) ? 0 : Math.sign(slope) * 2 ** 128;
  });
  const length = Math.sqrt(finite.reduce((sum, slope) => sum + slope ** 2, 0));
  return length === 0 ? finite : finite.map((slope) => slope / length);
}

/** A gradient that is not a number says nothing, like one that is zero. */
function signOrZero(value: number): number {
  return Number.isNaN(value) ? 0 : Math.sign(value);
}
