import type { Norm } from '../../spec/index.js';
import { down, ownGamma, up } from './arithmetic.js';

/** All inputs that an adversary may send: a ball around a sample, cut by the valid range. */
export interface Ball {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly centre: Float32Array;
  /** The smallest box around it, rounded outwards. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** @param minimum - smallest valid value of each input value; `maximum` likewise, and the sample lies between */
export function ballAround(
  centre: Float32Array,
  norm: Norm,
  epsilon: number,
  { minimum, maximum }: { readonly minimum: Float32Array; readonly maximum: Float32Array },
): Ball {
  return {
    norm,
    epsilon,
    centre,
    lower: Float64Array.from(centre, (value, i) => Math.max(minimum[i]!, down(value - epsilon))),
    upper: Float64Array.from(centre, (value, i) => Math.min(maximum[i]!, up(value + epsilon))),
  };
}

/**
 * A lower bound of a·x over the ball, rounded downwards, by Lagrange duality: for every λ ≥ 0, the least a·x + λ·(cost(x) −
 * budget) over the box is one. Any λ is sound, so λ may be found in any way; the best one makes the bound exact.
 *
 * Source of the dual norm, which this is where the box does not bind: Zhang et al. (CROWN), NeurIPS 2018, section 3.2.
 */
export function leastOver(ball: Ball, a: Float64Array): number {
  const overBox = leastOverBox(ball, a);
  if (ball.norm === 'linf') return overBox;
  return Math.max(overBox, ball.norm === 'l2' ? leastOverL2(ball, a) : leastOverL1(ball, a));
}

/** The same over a box alone. */
export function leastOverBox({ lower, upper }: Pick<Ball, 'lower' | 'upper'>, a: Float64Array): number {
  let sum = 0;
  let magnitude = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === 0) continue;
    const term = a[i]! * (a[i]! > 0 ? lower[i]! : upper[i]!);
    sum += term;
    magnitude += Math.abs(term);
  }
  return roundedDown(sum, magnitude, a.length);
}

/** The sum of `count` rounded terms, less all that rounding may have added. */
function roundedDown(sum: number, magnitude: number, count: number): number {
  return down(sum - up(ownGamma(2 * count + 16) * magnitude));
}

/** Cost (x − centre)², budget ε². Per value the least is a·centre − a²/4λ, or at an end of the box where that lies beyond. */
function leastOverL2({ epsilon, centre, lower, upper }: Ball, a: Float64Array): number {
  const length = Math.hypot(...a);
  if (!(length > 0) || !(epsilon > 0)) return Number.NEGATIVE_INFINITY;
  const moved = (i: number, lambda: number): number => -a[i]! / (2 * lambda);
  const spent = (lambda: number): number => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) {
      const end = (a[i]! > 0 ? lower[i]! : upper[i]!) - centre[i]!;
      sum += Math.min(Math.abs(moved(i, lambda)), Math.abs(end)) ** 2;
    }
    return sum;
  };
  let [low, high] = [(length / (2 * epsilon)) * 2 ** -20, length / (2 * epsilon)];
  for (let i = 0; i < 40; i++) {
    const middle = Math.sqrt(low * high);
    if (spent(middle) > epsilon ** 2) low = middle;
    else high = middle;
  }
  const lambda = high;
  let sum = -lambda * epsilon * epsilon;
  let magnitude = -sum;
  for (let i = 0; i < a.length; i++) {
    const start = a[i]! * centre[i]!;
    const end = (a[i]! > 0 ? lower[i]! : upper[i]!) - centre[i]!;
    // Where the ends are not clearly passed, the least over all numbers is taken: it is never more.
    const isBeyond = Math.abs(moved(i, lambda)) > Math.abs(end) * (1 + 2 ** -30) + Number.MIN_VALUE;
    const gain = isBeyond ? a[i]! * end + lambda * end * end : -(a[i]! * a[i]!) / (4 * lambda);
    sum += start + gain;
    magnitude += Math.abs(start) + (isBeyond ? Math.abs(a[i]! * end) + lambda * end * end : -gain);
  }
  return roundedDown(sum, magnitude, a.length);
}

/** Cost |x − centre|, budget ε: a value goes to its end of the box where |a| > λ, and stays elsewhere. */
function leastOverL1({ epsilon, centre, lower, upper }: Ball, a: Float64Array): number {
  const steepest = Array.from(a, (slope, i) => ({
    slope: Math.abs(slope),
    room: Math.abs((slope > 0 ? lower[i]! : upper[i]!) - centre[i]!),
  })).sort((one, other) => other.slope - one.slope);
  let spent = 0;
  const lambda =
    steepest.find(({ room }) => {
      spent += room;
      return spent >= epsilon;
    })?.slope ?? 0;
  let sum = -lambda * epsilon;
  let magnitude = -sum;
  for (let i = 0; i < a.length; i++) {
    const start = a[i]! * centre[i]!;
    const room = Math.abs((a[i]! > 0 ? lower[i]! : upper[i]!) - centre[i]!);
    const gain = Math.max(0, Math.abs(a[i]!) - lambda) * room;
    sum += start - gain;
    magnitude += Math.abs(start) + gain + (gain > 0 ? (Math.abs(a[i]!) + lambda) * room : 0);
  }
  return roundedDown(sum, magnitude, a.length);
}
