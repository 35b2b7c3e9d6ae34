import type { Norm } from '../spec/index.js';
import { distance } from './distance.js';

/** An ascending sequence of float32 values, the only ones that an input value can have. */
export interface Steps {
  readonly count: number;
  /** @param step - from 0 to `count` − 1 */
  at(step: number): number;
}

/** What the adversary respects beside ball and valid range; positions are those of a sample's values. */
export interface Constraints {
  /** 1 where the adversary cannot change the value (length: one sample's size). */
  readonly fixed: Uint8Array;
  /** The values that each input value can have; undefined where that is any. */
  readonly steps: readonly (Steps | undefined)[];
  /** Groups of positions of which exactly one is 1 and the others are 0. No position is in two of them, or stepped. */
  readonly oneHot: readonly (readonly number[])[];
}

/** A ball in which constraints hold. */
interface ConstrainedBall {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly constraints: Constraints;
}

/** How far a group of which another member becomes 1 moves, by norm. */
export const FLIP_LENGTH = { linf: 1, l2: Math.SQRT2, l1: 2 } as const;

/** The largest step at or below `value`; −1 where there is none. */
export function stepBelow({ count, at }: Steps, value: number): number {
  let low = -1;
  let high = count;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** The smallest and the largest step between two bounds; none where the first is larger. */
export function stepsBetween(
  steps: Steps,
  low: number,
  high: number,
): readonly [first: number, last: number] {
  const below = stepBelow(steps, low);
  const first = below >= 0 && steps.at(below) === low ? below : below + 1;
  return [first, stepBelow(steps, high)];
}

/** The first value, in order, that breaks a constraint of one sample; undefined where it keeps them all. */
export function firstViolation(
  original: Float32Array,
  candidate: Float32Array,
  { fixed, steps, oneHot }: Constraints,
): number | undefined {
  const at = candidate.findIndex((value, i) => {
    if (fixed[i] && value !== original[i]) return true;
    const own = steps[i];
    return own !== undefined && !isStep(own, value);
  });
  if (at >= 0) return at;
  const group = oneHot.find((members) => {
    const ones = members.filter((i) => candidate[i] === 1).length;
    return ones !== 1 || members.some((i) => candidate[i] !== 0 && candidate[i] !== 1);
  });
  return group?.[0];
}

function isStep(steps: Steps, value: number): boolean {
  const step = stepBelow(steps, value);
  return step >= 0 && steps.at(step) === value;
}

/** Values that stand or fall together: one stepped value, or a group. */
interface Move {
  readonly positions: readonly number[];
  readonly values: readonly number[];
  /** How much of it the point has made, 0…1. */
  readonly made: number;
  /** What it puts these positions at when it is not made. */
  readonly shorter: readonly number[];
}

/**
 * Rounds a point that lies in the ball and in the box of a sample's steps to one that keeps all constraints and lies in the
 * ball, too. Each stepped value goes to its nearest step, each group to its largest member, as long as the ball has room;
 * where it has not, what the point has made most of goes first, and the others stay on the sample's side.
 *
 * @param original - keeps the constraints
 * @param point - inside the threat model, but for steps and groups
 */
export function roundToConstraints(
  { norm, epsilon, constraints }: ConstrainedBall,
  original: Float32Array,
  point: Float32Array,
): Float32Array {
  const rounded = point.slice();
  const moves: Move[] = [];
  for (const [i, steps] of constraints.steps.entries()) {
    if (!steps || point[i] === original[i]) continue;
    const [inner, outer] = neighbours(steps, original[i]!, point[i]!);
    rounded[i] = inner;
    const made = outer === inner ? 0 : (point[i]! - inner) / (outer - inner);
    if (made >= 0.5) moves.push({ positions: [i], values: [outer], made, shorter: [inner] });
  }
  for (const members of constraints.oneHot) {
    const from = members.find((i) => original[i] === 1)!;
    const to = members.reduce((best, i) => (point[i]! > point[best]! ? i : best), from);
    for (const i of members) rounded[i] = original[i]!;
    if (to === from) continue;
    moves.push({
      positions: [from, to],
      values: [0, 1],
      made: (point[to]! - point[from]! + 1) / 2,
      shorter: [1, 0],
    });
  }
  moves.sort((one, other) => other.made - one.made || one.positions[0]! - other.positions[0]!);
  for (const { positions, values, shorter } of moves) {
    for (const [k, i] of positions.entries()) rounded[i] = values[k]!;
    if (distance(norm, original, rounded) <= epsilon) continue;
    for (const [k, i] of positions.entries()) rounded[i] = shorter[k]!;
  }
  return rounded;
}

/** The steps on both sides of a point, the one on the original's side first; twice the same where the point is a step. */
function neighbours(steps: Steps, original: number, point: number): readonly [inner: number, outer: number] {
  const below = stepBelow(steps, point);
  const low = steps.at(Math.max(0, below));
  if (low === point) return [low, low];
  const high = steps.at(Math.min(steps.count - 1, below + 1));
  return point > original ? [low, high] : [high, low];
}
