import { logGamma } from './beta-distribution.js';
import type { Interval } from './clopper-pearson.js';
import { gammaProbability, gammaTail } from './gamma-distribution.js';

/** P(X ≥ x) for X of a chi-square distribution with this many degrees of freedom. */
export function chiSquareTail(x: number, degrees: number): number {
  return gammaTail(x / 2, degrees / 2);
}

/**
 * P(X ≤ x) for X of a noncentral chi-square distribution: a Poisson mixture of central ones, summed outwards from its largest
 * weight (Johnson, Kotz, Balakrishnan, "Continuous univariate distributions", 2nd edition, volume 2, chapter 29).
 *
 * @param degrees - above 0
 * @param noncentrality - at least 0
 */
export function noncentralChiSquareProbability(x: number, degrees: number, noncentrality: number): number {
  if (x <= 0) return 0;
  const mean = noncentrality / 2;
  if (mean === 0) return gammaProbability(x / 2, degrees / 2);
  const middle = Math.floor(mean);
  const half = x / 2;
  const shape = degrees / 2 + middle;
  const weight = Math.exp(middle * Math.log(mean) - mean - logGamma(middle + 1));
  const probability = gammaProbability(half, shape);
  // P(a, x) − P(a + 1, x); DLMF 8.8.5 takes one probability to the next, stably towards smaller shapes.
  const step = Math.exp(shape * Math.log(half) - half - logGamma(shape + 1));
  let sum = weight * probability;
  for (let j = middle, w = weight, p = probability, d = step; j > 0; j--) {
    w *= j / mean;
    d *= (degrees / 2 + j) / half;
    p += d;
    sum += w * p;
    if (w < 1e-18) break;
  }
  for (let j = middle, w = weight, p = probability, d = step; ; j++) {
    w *= mean / (j + 1);
    p = Math.max(0, p - d);
    d *= half / (degrees / 2 + j + 1);
    const added = w * p;
    sum += added;
    if (added < 1e-17 * sum || w < 1e-18) return Math.min(1, sum);
  }
}

/**
 * The interval of the noncentrality of which a chi-square statistic was seen: what was measured, freed of what chance alone adds.
 * Divided by a sample size it is an interval of an effect size.
 *
 * Source: Smithson, "Confidence intervals" (2003), chapter 4; by inversion of the distribution function, which falls as the
 * noncentrality grows.
 *
 * @param statistic - at least 0
 * @param confidence - in (0, 1)
 */
export function noncentralityInterval(statistic: number, degrees: number, confidence: number): Interval {
  const tail = (1 - confidence) / 2;
  return [inverse(statistic, degrees, 1 - tail), inverse(statistic, degrees, tail)];
}

/** The noncentrality at which a statistic at most this large has the given probability; 0 where there is none. */
function inverse(statistic: number, degrees: number, probability: number): number {
  const below = (noncentrality: number) =>
    noncentralChiSquareProbability(statistic, degrees, noncentrality) < probability;
  if (below(0)) return 0;
  let low = 0;
  let high = Math.max(1, statistic);
  while (!below(high)) high *= 2;
  while (high - low > 1e-7 * high) {
    const middle = (low + high) / 2;
    if (below(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
