import type { Norm } from '../spec/index.js';

/**
 * The shortest move, in a norm, that takes a point inside a box onto the hyperplane where an affine function is zero; as
 * close to it as the box allows where it lies outside.
 *
 * Every value moves the way that brings the function to zero, at most as far as it has room. What is left is how to share:
 * under L∞ all values move alike, under L2 in proportion to their slope, under L1 the steepest first, each until it hits
 * the box.
 *
 * Source: Croce, Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020,
 * section 2.1 and appendix A.
 *
 * @param value - of the function at the point
 * @param slopes - of the function
 * @returns the move, as many values as the point
 */
export function moveToHyperplane(
  norm: Norm,
  point: Float32Array,
  value: number,
  slopes: Float32Array,
  minimum: Float32Array,
  maximum: Float32Array,
): Float64Array {
  const down = -Math.sign(value);
  // Plain loops: closures over values took most of a FAB step's time.
  const room = new Float64Array(point.length);
  for (let i = 0; i < room.length; i++) {
    const way = down * slopes[i]!;
    if (!Number.isFinite(way) || way === 0) continue;
    room[i] = way > 0 ? maximum[i]! - point[i]! : point[i]! - minimum[i]!;
  }
  const move = share(norm, Math.abs(value), slopes, room);
  for (let i = 0; i < move.length; i++) if (move[i] !== 0) move[i]! *= down * Math.sign(slopes[i]!);
  return move;
}

function share(norm: Norm, needed: number, slopes: Float32Array, room: Float64Array): Float64Array {
  if (norm === 'l1') {
    const order = [...slopes.keys()].sort(
      (one, other) => Math.abs(slopes[other]!) - Math.abs(slopes[one]!) || one - other,
    );
    const lengths = new Float64Array(room.length);
    let left = needed;
    for (const i of order) {
      if (left <= 0) break;
      if (room[i] === 0) continue;
      lengths[i] = Math.min(room[i]!, left / Math.abs(slopes[i]!));
      left -= lengths[i]! * Math.abs(slopes[i]!);
    }
    return lengths;
  }
  // How far each value moves at a factor of 1. The factor only grows as values hit the box.
  const alike = norm === 'linf';
  const steepness = new Float64Array(room.length);
  for (let i = 0; i < room.length; i++) steepness[i] = Math.abs(slopes[i]!);
  let factor = 0;
  for (;;) {
    let cut = 0;
    let free = 0;
    for (let i = 0; i < room.length; i++) {
      if (room[i] === 0) continue;
      const rate = alike ? 1 : steepness[i]!;
      if (rate * factor < room[i]!) free += rate * steepness[i]!;
      else cut += room[i]! * steepness[i]!;
    }
    const next = free === 0 ? Number.POSITIVE_INFINITY : (needed - cut) / free;
    if (!(next > factor)) break;
    factor = next;
    if (factor === Number.POSITIVE_INFINITY) break;
  }
  const lengths = new Float64Array(room.length);
  for (let i = 0; i < room.length; i++) {
    if (room[i] !== 0) lengths[i] = Math.min((alike ? 1 : steepness[i]!) * factor, room[i]!);
  }
  return lengths;
}
