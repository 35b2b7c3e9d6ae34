import { NO_CLASS } from '../../attacks/index.js';
import { normalField } from '../../random/index.js';
import type { Certificate, CertificationMethod } from '../certificate.js';
import { noisyAnswers } from './noisy-answers.js';
import { countVotes, smoothingRadius } from './vote.js';

export interface SmoothingOptions {
  /** Standard deviation of the noise, in the units that the model sees. */
  readonly sigma: number;
  /** Noisy copies that estimate how often the class is given. */
  readonly n: number;
  /** Noisy copies that choose the class. */
  readonly n0: number;
  /** The probability, over the noise, that a certificate is wrong. */
  readonly alpha: number;
  /** Of the noise. A certificate means nothing to an adversary who chose the sample knowing it. */
  readonly seed: number;
}

/** A certificate with the votes it follows from. */
export interface SmoothingCertificate extends Certificate {
  /** Class that most of the first `n0` copies were given; `NO_CLASS` (−1) where most logits were not finite. */
  readonly leader: number;
  /** How many of the `n` copies were given it. */
  readonly count: number;
}

/**
 * Randomized smoothing: certificates about the classifier that answers what the model says most often of a sample under
 * Gaussian noise, not about the model itself.
 *
 * With probability at least 1 − α over the noise, no real-valued δ with ‖δ‖₂ below the radius changes the class of the
 * smoothed classifier, whose base classifier is the float32 forward pass, counted exactly.
 *
 * Source: Cohen, Rosenfeld, Kolter, "Certified adversarial robustness via randomized smoothing", ICML 2019.
 */
export const smoothing: CertificationMethod<SmoothingOptions, SmoothingCertificate> = {
  name: 'smoothing',
  norms: ['l2'],
  open: async (model, { sigma, n, n0, alpha, seed }) => ({
    async certify(sample, id) {
      const noise = (use: string) => normalField(seed, id, 'smoothing', use);
      // What chooses the class must be independent of what counts for it.
      const first = await noisyAnswers(model, sample, { sigma, copies: n0, noise: noise('choose') });
      const { leader } = countVotes(first);
      if (leader === NO_CLASS) return { predicted: NO_CLASS, radius: 0, leader, count: 0 };
      const answers = await noisyAnswers(model, sample, { sigma, copies: n, noise: noise('count') });
      const count = answers.reduce((votes, answer) => votes + Number(answer === leader), 0);
      return { ...certificateOf({ leader, count }, { sigma, n, alpha }), leader, count };
    },
    close: async () => {},
  }),
};

/** What votes prove. */
export function certificateOf(
  { leader, count }: Pick<SmoothingCertificate, 'leader' | 'count'>,
  options: Pick<SmoothingOptions, 'sigma' | 'n' | 'alpha'>,
): Certificate {
  const radius = leader === NO_CLASS ? 0 : smoothingRadius(count, options);
  return { predicted: radius > 0 ? leader : NO_CLASS, radius };
}
