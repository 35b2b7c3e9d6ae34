import { bandAround } from './activation.js';
import { down, gamma, ownGamma, type RuntimeArithmetic, up } from './arithmetic.js';
import { largest } from './linear-map.js';
import type { Affine, Elementwise, Maximum, Step } from './network.js';

/**
 * What a value can be for one ball. Within a linear stretch there are two of each value: the exact sum of its terms, of the
 * very numbers that the runtime has at the beginning of the stretch, and what the runtime computes. `lower` and `upper`
 * bound the exact one; the other is at most `error` away.
 */
export interface Range {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** At least the sum of the absolute values of an element's terms. */
  readonly magnitude: Float64Array;
  /** Most roundings of a term since the stretch began. */
  readonly roundings: number;
  /** At least every number that the runtime can meet in the stretch so far, in whatever order it computes. */
  readonly reach: number;
  readonly error: Float64Array;
  /** Whether each element has its interval for itself, so that intervals of sums of them are exact. */
  readonly isIndependent: boolean;
  /** Whether linear bounds over the same ball could not be tighter than this interval. */
  readonly isExact: boolean;
}

/** @param isBox - whether the input may be anywhere between its bounds */
export function rangeOfInput(lower: Float64Array, upper: Float64Array, isBox: boolean): Range {
  return rangeOfResults(lower, upper, isBox);
}

/** A value at the beginning of a stretch: exactly what the runtime has. */
function rangeOfResults(lower: Float64Array, upper: Float64Array, isIndependent: boolean): Range {
  const magnitude = lower.map((value, i) => Math.max(Math.abs(value), Math.abs(upper[i]!)));
  return {
    lower,
    upper,
    magnitude,
    roundings: 0,
    reach: up(1 + largest(magnitude)),
    error: new Float64Array(lower.length),
    isIndependent,
    isExact: isIndependent,
  };
}

/** The range of a step's result by interval arithmetic. */
export function rangeOfStep(step: Step, ranges: readonly Range[], arithmetic: RuntimeArithmetic): Range {
  switch (step.kind) {
    case 'affine':
      return rangeOfAffine(step, ranges, arithmetic);
    case 'elementwise':
      return rangeOfElementwise(step, ranges[step.value]!);
    case 'maximum':
      return rangeOfMaximum(step, ranges[step.value]!);
  }
}

function rangeOfAffine(
  { terms, bias, biasMagnitude, roundings }: Affine,
  ranges: readonly Range[],
  arithmetic: RuntimeArithmetic,
): Range {
  const size = bias.length;
  const centre = bias.slice();
  const radius = new Float64Array(size);
  const magnitude = biasMagnitude.slice();
  let [entries, before, reach] = [1, 0, 1 + largest(biasMagnitude)];
  for (const { value, map } of terms) {
    const range = ranges[value]!;
    const middles = range.lower.map((low, i) => (low + range.upper[i]!) / 2);
    const halves = middles.map((middle, i) =>
      up(Math.max(range.upper[i]! - middle, middle - range.lower[i]!)),
    );
    map.multiply(map.weights, middles, centre);
    map.multiply(map.magnitudes, halves, radius);
    map.multiply(map.magnitudes, range.magnitude, magnitude);
    entries += map.fanIn;
    before = Math.max(before, range.roundings);
    reach += map.fanIn * Math.max(1, largest(map.weights.length > 0 ? map.magnitudes : [1])) * range.reach;
  }
  reach *= 1 + 2 ** -20;
  const own = ownGamma(2 * entries + 16);
  const lost = arithmetic.unit > 0 ? (entries * reach * 4 * arithmetic.underflow) / arithmetic.unit : 0;
  const total = before + roundings;
  const share = gamma(total, arithmetic.unit);
  const lower = new Float64Array(size);
  const upper = new Float64Array(size);
  const error = new Float64Array(size);
  const isHeld = reach < arithmetic.largest;
  for (let i = 0; i < size; i++) {
    magnitude[i] = up(magnitude[i]! * (1 + 2 * own)) + (roundings > 0 ? lost : 0);
    const half = up(radius[i]! + up(own * magnitude[i]!));
    lower[i] = isHeld ? down(centre[i]! - half) : Number.NaN;
    upper[i] = isHeld ? up(centre[i]! + half) : Number.NaN;
    if (!isHeld) error[i] = Number.NaN;
    else error[i] = total > 0 ? up(share * magnitude[i]!) : 0;
  }
  const [only, ...others] = terms;
  const isAlone = only !== undefined && others.length === 0;
  return {
    lower,
    upper,
    magnitude,
    roundings: total,
    reach,
    error,
    isIndependent:
      isAlone && only.map.fanIn <= 1 && only.map.fanOut <= 1 && ranges[only.value]!.isIndependent,
    isExact: isAlone && ranges[only.value]!.isIndependent,
  };
}

function rangeOfElementwise({ activationOf }: Elementwise, range: Range): Range {
  const size = range.lower.length;
  const lower = new Float64Array(size);
  const upper = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const { low, high } = seen(range, i);
    const band = bandAround(activationOf(i), 0, low, high);
    lower[i] = band.lower;
    upper[i] = band.upper;
  }
  return rangeOfResults(lower, upper, range.isIndependent);
}

function rangeOfMaximum({ starts, sources }: Maximum, range: Range): Range {
  const size = starts.length - 1;
  const lower = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  const upper = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < size; i++) {
    for (let at = starts[i]!; at < starts[i + 1]!; at++) {
      const { low, high } = seen(range, sources[at]!);
      lower[i] = Math.max(lower[i]!, low);
      upper[i] = Math.max(upper[i]!, high);
    }
  }
  return rangeOfResults(lower, upper, false);
}

/** Bounds of what the runtime computes for an element. */
export function seen(
  { lower, upper, error }: Range,
  i: number,
): { readonly low: number; readonly high: number } {
  if (error[i] === 0) return { low: lower[i]!, high: upper[i]! };
  return { low: down(lower[i]! - error[i]!), high: up(upper[i]! + error[i]!) };
}
