import type { RandomStream } from '../random/index.js';

export interface Split {
  /** By row: whether it is in the smaller part. */
  readonly isSmaller: readonly boolean[];
  /** Share of rows in the smaller part. */
  readonly share: number;
  /** How far apart the parts are, in [−1, 1]: see Rousseeuw, "Silhouettes", 1987, with distances to centres. */
  readonly silhouette: number;
}

const STARTS = 5;
const ROUNDS = 50;

/** Parts rows in two by k-means (Lloyd), the best of a few starts. @param rows - row-major [n, width] */
export function splitInTwo(rows: Float64Array, width: number, stream: RandomStream): Split {
  const n = rows.length / width;
  let best: { readonly sides: Uint8Array; readonly cost: number; readonly centres: Float64Array } | undefined;
  for (let start = 0; start < STARTS && n > 1; start++) {
    const first = stream.integer(n);
    const second = (first + 1 + stream.integer(n - 1)) % n;
    const attempt = settle(rows, width, [first, second]);
    if (!best || attempt.cost < best.cost) best = attempt;
  }
  if (!best) return { isSmaller: Array.from({ length: n }, () => false), share: 0, silhouette: 0 };
  const { sides, centres } = best;
  const ones = sides.reduce((sum, side) => sum + side, 0);
  const smaller = ones * 2 <= n ? 1 : 0;
  let silhouette = 0;
  for (let row = 0; row < n; row++) {
    const own = distance(rows, row, centres, sides[row]!, width);
    const other = distance(rows, row, centres, 1 - sides[row]!, width);
    silhouette += (other - own) / Math.max(own, other, Number.MIN_VALUE) / n;
  }
  return {
    isSmaller: Array.from(sides, (side) => side === smaller),
    share: Math.min(ones, n - ones) / n,
    silhouette,
  };
}

function settle(rows: Float64Array, width: number, starts: readonly [number, number]) {
  const n = rows.length / width;
  const centres = new Float64Array(2 * width);
  for (const [side, row] of starts.entries())
    centres.set(rows.subarray(row * width, (row + 1) * width), side * width);
  const sides = new Uint8Array(n);
  let cost = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let moved = round === 0;
    cost = 0;
    for (let row = 0; row < n; row++) {
      const [zero, one] = [0, 1].map((side) => distance(rows, row, centres, side, width)) as [number, number];
      const side = one < zero ? 1 : 0;
      if (side !== sides[row]) moved = true;
      sides[row] = side;
      cost += Math.min(zero, one) ** 2;
    }
    if (!moved) break;
    const counts = [0, 0];
    const sums = new Float64Array(2 * width);
    for (let row = 0; row < n; row++) {
      counts[sides[row]!]! += 1;
      for (let i = 0; i < width; i++) sums[sides[row]! * width + i]! += rows[row * width + i]!;
    }
    for (const side of [0, 1]) {
      if (counts[side] === 0) continue;
      for (let i = 0; i < width; i++) centres[side * width + i] = sums[side * width + i]! / counts[side]!;
    }
  }
  return { sides, cost, centres };
}

function distance(
  rows: Float64Array,
  row: number,
  centres: Float64Array,
  side: number,
  width: number,
): number {
  let square = 0;
  for (let i = 0; i < width; i++) square += (rows[row * width + i]! - centres[side * width + i]!) ** 2;
  return Math.sqrt(square);
}
