import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/** Does the attack find what is there? Around some samples an adversarial example exists by construction. */
export const plantedWeakness: Control = {
  name: 'planted weaknesses are found',
  needsGradients: true,
  judge({ rows }) {
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
    return found >= share * built.length
      ? []
      : [
          inconclusive(
            `The strongest gradient attack finds ${found} of ${built.length} planted adversarial examples, expected ${share * 100} %`,
          ),
        ];
  },
};
