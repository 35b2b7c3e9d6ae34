import { betaProbability, normalQuantile, proportionAtLeast } from '../../statistics/index.js';

/** How the base classifier answered to noisy copies of one sample. */
export interface Votes {
  /** The class with most votes; `NO_CLASS` (−1) where most answers were no numbers. */
  readonly leader: number;
  /** Copies that it was given for. */
  readonly count: number;
  /** Copies that the class in second place was given for. */
  readonly runnerUp: number;
}

/** @param answers - predicted class of each copy, `NO_CLASS` where its logits are not finite; the first of equals leads */
export function countVotes(answers: Iterable<number>): Votes {
  const tally = new Map<number, number>();
  for (const answer of answers) tally.set(answer, (tally.get(answer) ?? 0) + 1);
  const [first = [-1, 0] as const, second = [-1, 0] as const] = [...tally].sort(
    ([one, more], [other, less]) => less - more || one - other,
  );
  return { leader: first[0], count: first[1], runnerUp: second[1] };
}

/**
 * CERTIFY: the radius in which the smoothed classifier keeps its class, with probability at least 1 − α over the noise.
 *
 * σ·Φ⁻¹(p), with p the one-sided Clopper–Pearson lower bound of the share of noisy copies that the base classifier gives the
 * class; 0, an abstention, where p does not exceed ½.
 *
 * Source: Cohen, Rosenfeld, Kolter, "Certified adversarial robustness via randomized smoothing", ICML 2019, section 3.2.2.
 *
 * @param count - of `n` copies whose noise is independent of how the class was chosen
 * @returns in L2, the units of σ
 */
export function smoothingRadius(
  count: number,
  { sigma, n, alpha }: { readonly sigma: number; readonly n: number; readonly alpha: number },
): number {
  // Rounded down past the error of the quantiles, which is below 10⁻¹² of their value.
  const share = proportionAtLeast(count, n, alpha) * (1 - 1e-12);
  return share > 0.5 ? sigma * normalQuantile(share) * (1 - 1e-12) : 0;
}

/**
 * PREDICT: the class of the smoothed classifier, or `undefined`, an abstention. Another class than the smoothed classifier's is
 * given with probability at most α: the two-sided binomial test that the two leading classes are equally likely.
 *
 * Source: Cohen et al. (see {@link smoothingRadius}), section 3.2.1; Hung, Fithian, "Rank verification for exponential
 * families", Annals of Statistics 47 (2019).
 */
export function smoothedPrediction({ leader, count, runnerUp }: Votes, alpha: number): number | undefined {
  if (leader < 0) return undefined;
  const tail = betaProbability(0.5, count, runnerUp + 1);
  return 2 * tail <= alpha ? leader : undefined;
}
