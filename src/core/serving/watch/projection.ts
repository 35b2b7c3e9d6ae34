import { randomStream } from '../../random/index.js';

/** Distances survive in so many dimensions within some tens of per cent (Johnson, Lindenstrauss 1984). */
const DIMENSIONS = 24;

/** Takes a sample to fewer dimensions, in which looking for neighbours is cheap. */
export type Projection = (sample: Float32Array) => Float32Array;

/**
 * A random projection, scaled by the range of each value. Its directions are drawn from a secret: whoever knew them could move along
 * what they do not see.
 *
 * @param minimum - of each value of a sample
 * @param maximum - of each value of a sample
 */
export function secretProjection(minimum: Float32Array, maximum: Float32Array, secret: string): Projection {
  const size = minimum.length;
  const draws = randomStream(0, 'watch', secret);
  const rows = Array.from({ length: Math.min(DIMENSIONS, size) }, () =>
    Float32Array.from({ length: size }, (_, i) => {
      const range = maximum[i]! - minimum[i]!;
      const draw = draws.normal();
      return range > 0 ? draw / range : 0;
    }),
  );
  return (sample) => {
    const point = new Float32Array(rows.length);
    for (let r = 0; r < rows.length; r++) {
      const row = rows[r]!;
      let sum = 0;
      for (let i = 0; i < size; i++) sum += row[i]! * sample[i]!;
      point[r] = sum;
    }
    return point;
  };
}

/** @returns the squared distance if it is at most `limit`, else something larger than `limit`, as soon as that is known */
export function squaredDistance(one: Float32Array, other: Float32Array, limit = Infinity): number {
  let sum = 0;
  for (let i = 0; i < one.length && sum <= limit; i++) {
    const difference = one[i]! - other[i]!;
    sum += difference * difference;
  }
  return sum;
}
