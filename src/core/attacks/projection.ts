import type { Samples, ThreatModel } from './attack.js';
import { clamp } from './clamp.js';
import { roundToConstraints } from './constraints.js';
import { distance } from './distance.js';
import { roundTowards } from './float32.js';
import { allowedBox, type Box } from './threat-model.js';

/** Where an adversary can take some samples. */
export interface Reach {
  readonly samples: Samples;
  readonly threat: ThreatModel;
  /** Values of one sample. */
  readonly size: number;
  readonly box: Box;
}

/**
 * The point of the ball and the valid range that is nearest to some point, in Euclidean distance; a float32 point that
 * `insideThreatModel` holds for. The ball *and* the range are projected on at once: one after the other would end
 * somewhere else, inside the ball's surface.
 *
 * Found in float64, then every value is rounded towards the sample, so that rounding leaves the ball nowhere.
 *
 * Source of the L1 case: Croce, Hein, "Mind the box: l1-APGD for sparse adversarial attacks on image classifiers",
 * ICML 2021, proposition 2.1.
 *
 * @param index - of the sample
 * @param point - as many values as a sample; one that is not a number stays with the sample
 * @param projected - where to write what is found: loops over many points would spend their time on new arrays
 * @returns `projected`
 */
export function project(
  reach: Reach,
  index: number,
  point: ArrayLike<number>,
  projected: Float32Array = new Float32Array(reach.size),
): Float32Array {
  const { samples, threat, size } = reach;
  const { lower, upper } = reach.box;
  const from = index * size;
  const inBox = threat.norm === 'linf';
  for (let i = 0; i < size; i++) {
    const original = samples.inputs[from + i]!;
    const nearest = clamp(point[i]!, lower[from + i]!, upper[from + i]!, original);
    projected[i] = inBox ? nearest : roundTowards(original, nearest);
  }
  const original = samples.inputs.subarray(from, from + size);
  if (threat.norm === 'linf' || distance(threat.norm, original, projected) <= threat.epsilon)
    return projected;

  const { moves, room } = wishes(reach, index, point);
  if (threat.norm === 'l2') scaleL2(moves, room, threat.epsilon, 1);
  else shortenL1(moves, room, threat.epsilon);
  return settle(reach, index, point, moves, projected);
}

/**
 * The point of the ball and the valid range that lies furthest along a direction: where a linear function with this
 * gradient is largest. Values whose slope is zero or not a number stay.
 */
export function furthest(reach: Reach, index: number, direction: ArrayLike<number>): Float32Array {
  const { samples, threat, size, box } = reach;
  const from = index * size;
  if (threat.norm === 'linf') {
    return Float32Array.from({ length: size }, (_, i) => {
      if (direction[i]! > 0) return box.upper[from + i]!;
      return (direction[i]! < 0 ? box.lower : samples.inputs)[from + i]!;
    });
  }
  const largest = largestSlope(direction);
  if (largest === 0) return samples.inputs.slice(from, from + size);
  const scaled = Float64Array.from({ length: size }, (_, i) => {
    const slope = direction[i]!;
    if (Number.isNaN(slope)) return 0;
    return largest === Number.POSITIVE_INFINITY
      ? Math.abs(slope) < largest
        ? 0
        : Math.sign(slope)
      : slope / largest;
  });
  const target = scaled.map((slope, i) => samples.inputs[from + i]! + slope);
  const { moves, room } = wishes(reach, index, target);
  for (let i = 0; i < size; i++) moves[i] = Math.abs(scaled[i]!);
  if (threat.norm === 'l2') scaleL2(moves, room, threat.epsilon, Number.POSITIVE_INFINITY);
  else fillL1(moves, room, threat.epsilon);
  return settle(reach, index, target, moves, new Float32Array(size));
}

/**
 * A projected point as the adversary can send it: rounded to what the constraints allow; the point itself where there are
 * none. Attacks go their way through the ball unrounded, ask the model about rounded points only, and take the gradients
 * there for those of where they are.
 *
 * @param point - inside the ball and the box
 */
export function feasible({ samples, threat, size }: Reach, index: number, point: Float32Array): Float32Array {
  const { constraints } = threat;
  if (!constraints) return point;
  const original = samples.inputs.subarray(index * size, (index + 1) * size);
  return roundToConstraints({ ...threat, constraints }, original, point);
}

/**
 * The point that an adversary can send who would like to send another one.
 *
 * @param original - one sample
 * @param wish - as many values
 */
export function nearestAllowed(
  original: Samples,
  threat: ThreatModel,
  wish: ArrayLike<number>,
): Float32Array {
  const reach = { samples: original, threat, size: threat.minimum.length, box: allowedBox(original, threat) };
  return feasible(reach, 0, project(reach, 0, wish));
}

/** A gradient, zero where the box leaves a sample no room. */
export function movable({ box, size, threat }: Reach, index: number, gradient: Float32Array): Float32Array {
  if (!threat.constraints) return gradient;
  return gradient.map((slope, i) =>
    box.lower[index * size + i] === box.upper[index * size + i] ? 0 : slope,
  );
}

/** How far each value of a sample would move to reach a point, and how far it may. */
function wishes({ samples, size, box }: Reach, index: number, point: ArrayLike<number>) {
  const moves = new Float64Array(size);
  const room = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const at = index * size + i;
    const move = point[i]! - samples.inputs[at]!;
    if (!(Math.abs(move) > 0)) continue;
    moves[i] = Math.abs(move);
    room[i] = move > 0 ? box.upper[at]! - samples.inputs[at]! : samples.inputs[at]! - box.lower[at]!;
  }
  return { moves, room };
}

/**
 * Scales the moves by one factor, each cut at its room, until their length is ε, or the factor `most`, or nothing has
 * room left. The factor only grows as moves hit their room, so it is found in finitely many passes.
 */
function scaleL2(moves: Float64Array, room: Float64Array, epsilon: number, most: number): void {
  let factor = 0;
  for (;;) {
    let cut = 0;
    let free = 0;
    for (let i = 0; i < moves.length; i++) {
      if (moves[i]! * factor < room[i]!) free += moves[i]! ** 2;
      else cut += room[i]! ** 2;
    }
    const next = free === 0 ? factor : Math.min(most, Math.sqrt(Math.max(0, epsilon ** 2 - cut) / free));
    if (!(next > factor)) break;
    factor = next;
  }
  for (let i = 0; i < moves.length; i++)
    moves[i] = moves[i]! === 0 ? 0 : Math.min(moves[i]! * factor, room[i]!);
}

/**
 * Lowers all moves by one amount, each between 0 and its room, until their sum is ε. The sum falls piecewise linearly in
 * that amount: Newton's method inside a bracket.
 */
function shortenL1(moves: Float64Array, room: Float64Array, epsilon: number): void {
  let low = 0;
  let high = moves.reduce((most, move) => Math.max(most, move), 0);
  let amount = 0;
  for (let pass = 0; pass < 150; pass++) {
    let sum = 0;
    let falling = 0;
    for (let i = 0; i < moves.length; i++) {
      const left = moves[i]! - amount;
      if (left <= 0) continue;
      if (left > room[i]!) sum += room[i]!;
      else {
        sum += left;
        falling += 1;
      }
    }
    if (Math.abs(sum - epsilon) <= 1e-14 * epsilon) break;
    if (sum > epsilon) low = amount;
    else high = amount;
    const newton = amount + (sum - epsilon) / falling;
    const next = pass < 50 && newton > low && newton < high ? newton : (low + high) / 2;
    if (next === amount) break;
    amount = next;
  }
  for (let i = 0; i < moves.length; i++) moves[i] = Math.min(room[i]!, Math.max(0, moves[i]! - amount));
}

/** Spends ε on the values with the steepest slopes first, each to the end of its room. */
function fillL1(slopes: Float64Array, room: Float64Array, epsilon: number): void {
  const order = [...slopes.keys()].sort((one, other) => slopes[other]! - slopes[one]! || one - other);
  let left = epsilon;
  for (const i of order) {
    slopes[i] = slopes[i]! === 0 ? 0 : Math.min(left, room[i]!);
    left -= slopes[i]!;
  }
}

/** Takes a sample as far towards a point as the moves say, in float32 values that never lie further. */
function settle(
  { samples, threat, size, box }: Reach,
  index: number,
  point: ArrayLike<number>,
  moves: Float64Array,
  settled: Float32Array,
): Float32Array {
  const original = samples.inputs.subarray(index * size, (index + 1) * size);
  // Sums of float64 have rounding of their own: at worst a few parts in 10¹⁵ a value.
  for (let shrink = 0; shrink <= 1; shrink = shrink === 0 ? 2 ** -52 : 2 * shrink) {
    for (let i = 0; i < size; i++) {
      const at = index * size + i;
      const move = moves[i]! * (1 - shrink);
      const value = point[i]! > original[i]! ? original[i]! + move : original[i]! - move;
      const within = Math.min(box.upper[at]!, Math.max(box.lower[at]!, value));
      settled[i] = move > 0 ? roundTowards(original[i]!, within) : original[i]!;
    }
    if (distance(threat.norm, original, settled) <= threat.epsilon) break;
  }
  return settled;
}

function largestSlope(direction: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < direction.length; i++) {
    if (Math.abs(direction[i]!) > largest) largest = Math.abs(direction[i]!);
  }
  return largest;
}
