import type { Interval } from './clopper-pearson.js';
import { normalQuantile } from './normal-distribution.js';

/**
 * The maximum mean discrepancy of two samples, from the means of a feature map over blocks of each: the square root of the unbiased
 * estimate ‖μ − ν‖², in which no block meets itself (Gretton et al., Journal of Machine Learning Research 13, 2012, equation 3).
 *
 * The interval is the jackknife's over blocks (Efron, Stein, Annals of Statistics 9, 1981), whose variance is not too small on average.
 *
 * @param a - of equally many rows each, two or more; a vector a block
 * @param b - the same of the other sample
 * @param confidence - in (0, 1)
 */
export function blockDiscrepancy(
  a: readonly Float64Array[],
  b: readonly Float64Array[],
  confidence: number,
): { readonly estimate: number; readonly interval: Interval } {
  const squared = squaredDiscrepancy(a, b);
  const variance = [a, b].reduce((total, side, of) => {
    const left = side.map((_, out) => {
      const others = side.filter((__, i) => i !== out);
      return of === 0 ? squaredDiscrepancy(others, b) : squaredDiscrepancy(a, others);
    });
    const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
    const spread = left.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return total + (spread * (left.length - 1)) / left.length;
  }, 0);
  const margin = normalQuantile((1 + confidence) / 2) * Math.sqrt(variance);
  const root = (value: number) => Math.sqrt(Math.max(0, value));
  return { estimate: root(squared), interval: [root(squared - margin), root(squared + margin)] };
}

function squaredDiscrepancy(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  const [sumA, sumB] = [sumOf(a), sumOf(b)];
  const within = (side: readonly Float64Array[], sum: Float64Array) =>
    (dot(sum, sum) - side.reduce((total, one) => total + dot(one, one), 0)) /
    (side.length * (side.length - 1));
  return within(a, sumA) + within(b, sumB) - (2 * dot(sumA, sumB)) / (a.length * b.length);
}

function sumOf(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
