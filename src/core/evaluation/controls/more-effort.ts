import { survivesSuite } from '../evasion-row.js';
import type { Finding } from '../judgement.js';
import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/** Has the suite tried long enough? Twice the iterations, from another start, must hardly break more. */
export const longer: Control = {
  name: 'twice the iterations hardly break more',
  needsGradients: true,
  judge: ({ rows }) =>
    judgeMore(
      rows.filter(survivesSuite).map((row) => row.longer),
      rows.length,
      controlLimits.longerShare,
      'attack of twice the iterations',
    ),
};

/** Does robustness depend on the scale of the logits, which no prediction depends on? */
export const logitScale: Control = {
  name: 'the scale of the logits does not matter',
  needsGradients: true,
  judge: ({ rows }) =>
    judgeMore(
      rows.filter(survivesSuite).map((row) => row.rescaled),
      rows.length,
      controlLimits.rescaledShare,
      'attack at other scales of the logits',
    ),
};

/**
 * Judges an attack that was run again, changed, on what had survived. One sample alone is no evidence, however few there
 * are.
 *
 * @param outcomes - whether it broke each; null where it was not tried
 */
function judgeMore(
  outcomes: readonly (boolean | null)[],
  n: number,
  limit: number,
  attack: string,
): readonly Finding[] {
  const tried = outcomes.filter((outcome) => outcome !== null).length;
  if (tried < outcomes.length) return [notRun(attack, tried, outcomes.length)];
  const broken = outcomes.filter((outcome) => outcome === true).length;
  return broken <= Math.max(1, limit * n)
    ? []
    : [
        inconclusive(
          `An ${attack} breaks ${broken} of ${n} samples that the suite does not, expected at most ${limit * 100} %`,
        ),
      ];
}
