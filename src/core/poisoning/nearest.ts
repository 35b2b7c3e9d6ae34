import { permutation, randomStream } from '../random/index.js';
import type { SuspectData } from './detector.js';

/** Samples that others are compared with at most: time is this times their number. */
const MOST_REFERENCES = 5000;

/** The nearest other samples of each sample. */
export interface Nearest {
  /** n·k indices of samples, the nearest first. */
  readonly indices: Uint32Array;
  /** n·k Euclidean distances of values in parts of their valid range. */
  readonly distances: Float64Array;
  readonly k: number;
}

/**
 * Finds the k nearest other samples of each, exactly, by Euclidean distance of values in parts of their valid range. Among
 * more than 5,000 samples, each is compared with 5,000 that the seed draws.
 *
 * @param k - as many, or all others where there are fewer
 */
export function nearestOthers(data: SuspectData, k: number, seed: number, signal?: AbortSignal): Nearest {
  const n = data.ids.length;
  const size = data.minimum.length;
  const values = inParts(data);
  const references = permutation(randomStream(seed, 'references'), n).slice(0, MOST_REFERENCES).sort();
  const count = Math.max(0, Math.min(k, references.length - 1));
  const indices = new Uint32Array(n * count);
  const distances = new Float64Array(n * count);
  for (let i = 0; i < n; i++) {
    signal?.throwIfAborted();
    let worst = Number.POSITIVE_INFINITY;
    let found = 0;
    for (const j of references) {
      if (j === i) continue;
      const square = squaredDistance(values, i * size, j * size, size, worst);
      if (found === count && !(square < worst)) continue;
      let place = found < count ? found++ : count - 1;
      while (place > 0 && distances[i * count + place - 1]! > square) {
        distances[i * count + place] = distances[i * count + place - 1]!;
        indices[i * count + place] = indices[i * count + place - 1]!;
        place -= 1;
      }
      distances[i * count + place] = square;
      indices[i * count + place] = j;
      if (found === count) worst = distances[i * count + count - 1]!;
    }
  }
  return { indices, distances: distances.map(Math.sqrt), k: count };
}

/** Breaks off where the distance is no longer of interest. */
function squaredDistance(
  values: Float32Array,
  one: number,
  other: number,
  size: number,
  limit: number,
): number {
  let sum = 0;
  for (let from = 0; from < size; from += 32) {
    const to = Math.min(size, from + 32);
    for (let i = from; i < to; i++) {
      const difference = values[one + i]! - values[other + i]!;
      sum += difference * difference;
    }
    if (sum >= limit) return sum;
  }
  return sum;
}

/** Every value in parts of its valid range, so that no column counts for more than another. */
function inParts({ inputs, minimum, maximum }: SuspectData): Float32Array {
  const size = minimum.length;
  return inputs.map((value, at) => {
    const low = minimum[at % size]!;
    const width = maximum[at % size]! - low;
    return width > 0 ? (value - low) / width : 0;
  });
}
