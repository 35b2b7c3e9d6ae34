import { clopperPearson } from '../../statistics/index.js';
import { type Finding, figure } from '../judgement.js';
import { type ControlEvidence, inconclusive } from './control.js';

/**
 * An attack that knows less and breaks what the stronger ones do not shows that these follow gradients which mislead.
 *
 * @param broken - samples that only the weaker attack breaks
 * @param limit - the largest share of all samples that this may be
 * @param describe - what happened, given `3 of 400 samples`
 */
export function judgeMasking(
  { rows, confidence }: ControlEvidence,
  broken: number,
  limit: number,
  describe: (count: string) => string,
): readonly Finding[] {
  // One sample alone is no evidence, however few there are: some climb fails at one sample in a few hundred of honest models.
  if (broken <= Math.max(1, limit * rows.length)) return [];
  const reason = `${describe(`${broken} of ${rows.length} samples`)}, expected at most ${limit * 100} %`;
  const [lower] = clopperPearson(broken, rows.length, confidence);
  return [
    lower > limit
      ? { status: 'fail', reason: `Gradient masking: ${reason}; share at least ${figure(lower)}.` }
      : inconclusive(reason),
  ];
}
