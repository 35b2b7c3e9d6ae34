import { betaQuantile } from './beta-distribution.js';

/** Bounds of an unknown proportion. */
export type Interval = readonly [lower: number, upper: number];

/**
 * The exact two-sided interval of a proportion: whatever the true proportion is, at least `confidence` of all experiments
 * give an interval that contains it. No normal approximation, so it also holds for few samples and at 0 and 1.
 *
 * Source: Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
 * Biometrika 26 (1934); as beta quantiles: Brown, Cai, DasGupta, Statistical Science 16 (2001), section 4.2.1.
 *
 * @param successes - integer from 0 to n
 * @param n - number of samples, at least 0; without samples nothing is known and the interval is [0, 1]
 * @param confidence - in (0, 1), such as 0.95
 * @throws RangeError for anything else
 */
export function clopperPearson(successes: number, n: number, confidence: number): Interval {
  expectCounts(successes, n);
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`expected a confidence between 0 and 1, got ${confidence}`);
  }
  const tail = (1 - confidence) / 2;
  return [
    successes === 0 ? 0 : betaQuantile(tail, successes, n - successes + 1),
    // The mirror image of the lower bound keeps small complements exact.
    successes === n ? 1 : 1 - betaQuantile(tail, n - successes, successes + 1),
  ];
}

/**
 * The exact one-sided bound: whatever the true proportion is, at most a share `alpha` of all experiments give a bound above
 * it.
 *
 * @param successes - integer from 0 to n
 * @param alpha - in (0, 1), such as 0.001
 * @throws RangeError for anything else
 */
export function proportionAtLeast(successes: number, n: number, alpha: number): number {
  expectCounts(successes, n);
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`expected an alpha between 0 and 1, got ${alpha}`);
  return successes === 0 ? 0 : betaQuantile(alpha, successes, n - successes + 1);
}

function expectCounts(successes: number, n: number): void {
  if (!(Number.isSafeInteger(successes) && Number.isSafeInteger(n) && 0 <= successes && successes <= n)) {
    throw new RangeError(`expected integers 0 ≤ successes ≤ n, got ${successes} and ${n}`);
  }
}
