import { logGamma } from './beta-distribution.js';
import type { Interval } from './clopper-pearson.js';

/**
 * The interval of a proportion at one time of a confidence sequence: with probability at least `confidence`, the intervals
 * of *all* times contain the true proportion, so one may look after every sample and stop whenever one likes.
 *
 * The wealth of a bettor against the proportion p who mixes over a Beta(1/2, 1/2) prior is a martingale under p with
 * expectation 1; by Ville's inequality it ever reaches 1/α with probability at most α. The interval holds the p that no
 * bettor has refuted:
 * B(s + ½, n − s + ½) / B(½, ½) < pˢ (1 − p)ⁿ⁻ˢ / α, with s successes in n samples.
 *
 * Source: Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics
 * 41 (1970); Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals
 * of Statistics 49 (2021), section 3.
 *
 * @param successes - integer from 0 to n
 * @param n - samples so far; without samples nothing is known and the interval is [0, 1]
 * @param confidence - in (0, 1), such as 0.95
 * @throws RangeError for anything else
 */
export function confidenceSequence(successes: number, n: number, confidence: number): Interval {
  if (!(Number.isSafeInteger(successes) && Number.isSafeInteger(n) && 0 <= successes && successes <= n)) {
    throw new RangeError(`expected integers 0 ≤ successes ≤ n, got ${successes} and ${n}`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`expected a confidence between 0 and 1, got ${confidence}`);
  }
  if (n === 0) return [0, 1];
  const failures = n - successes;
  const mixture = logBeta(successes + 0.5, failures + 0.5) - logBeta(0.5, 0.5);
  const limit = mixture + Math.log(1 - confidence);
  // 0 · ln 0 is 0: a proportion of 0 or 1 is not refuted by what it allows.
  const logLikelihood = (p: number): number =>
    (successes === 0 ? 0 : successes * Math.log(p)) + (failures === 0 ? 0 : failures * Math.log1p(-p));
  const estimate = successes / n;
  return [
    successes === 0 ? 0 : border(0, estimate, (p) => logLikelihood(p) <= limit),
    failures === 0 ? 1 : border(1, estimate, (p) => logLikelihood(p) <= limit),
  ];
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Between a refuted and a standing proportion, the last refuted one, to neighbouring floats. */
function border(refuted: number, standing: number, isRefuted: (p: number) => boolean): number {
  let [out, within] = [refuted, standing];
  for (;;) {
    const middle = (out + within) / 2;
    if (middle === out || middle === within || Math.abs(out - within) <= Number.EPSILON * out) return out;
    if (isRefuted(middle)) out = middle;
    else within = middle;
  }
}
