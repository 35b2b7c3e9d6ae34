import { proportionAtLeast } from '../../statistics/index.js';
import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/** Does the attack find what is there? Around some samples an adversarial example exists by construction. */
export const plantedWeakness: Control = {
  name: 'planted weaknesses are found',
  needsGradients: true,
  judge({ rows, confidence }) {
    const tried = rows.flatMap(({ planted }) => planted ?? []);
    const { samples, share } = controlLimits.planted;
    const expected = Math.min(samples, rows.length);
    if (tried.length < expected) return [notRun('search for planted weaknesses', tried.length, expected)];
    const built = tried.filter((planted) => planted.built);
    if (2 * built.length < tried.length) {
      return [
        inconclusive(
          `A weakness could be planted around ${built.length} of ${tried.length} samples: the logits hardly change inside the ball`,
        ),
      ];
    }
    const found = built.filter((planted) => planted.found).length;
    // Of 32 weaknesses, an attack that finds all but one in twenty misses two or more in half of all evaluations. What it may miss
    // by chance is no alarm; honest twins were doubted for that, and what is broken finds a few at most.
    const atMost = 1 - proportionAtLeast(built.length - found, built.length, 1 - confidence);
    return atMost >= share
      ? []
      : [
          inconclusive(
            `The strongest gradient attack finds ${found} of ${built.length} planted adversarial examples, expected ${share * 100} %`,
          ),
        ];
  },
};
