import { NO_CLASS } from '../../attacks/index.js';
import type { NormalField } from '../../random/index.js';
import type { ServedSmoothing } from '../../spec/index.js';
import { type BaseClassifier, noisyAnswers } from './noisy-answers.js';
import { countVotes, smoothedPrediction } from './vote.js';

/** What a smoothed classifier says of one input. */
export interface SmoothedAnswer {
  /** Class index; `NO_CLASS` (−1) where it abstains. */
  readonly predicted: number;
  /** For each class, the share of noisy copies that were given it; they sum to 1 or, where logits were not finite, less. */
  readonly shares: Float32Array;
}

/**
 * Answers as a smoothed classifier is served: PREDICT of Cohen et al., 2019.
 *
 * With probability at least 1 − α over the noise the answer is the smoothed classifier's class or an abstention, for an input
 * that was chosen without knowing the noise. So where a certificate holds, an adversary inside its radius can make the
 * server abstain, and not make it err.
 *
 * @param sample - one input's values
 * @param noise - whose name no client can know
 */
export async function answerSmoothed(
  base: BaseClassifier,
  sample: Float32Array,
  { sigma, samples, alpha }: ServedSmoothing,
  noise: NormalField,
): Promise<SmoothedAnswer> {
  const answers = await noisyAnswers(base, sample, { sigma, copies: samples, noise });
  const shares = new Float32Array(base.classes);
  for (const answer of answers) if (answer !== NO_CLASS) shares[answer]! += 1;
  return {
    predicted: smoothedPrediction(countVotes(answers), alpha) ?? NO_CLASS,
    shares: shares.map((votes) => votes / samples),
  };
}
