import { isSurelyBrokenBy } from '../evasion-row.js';
import { withKnowledge } from '../suite-attacks.js';
import type { Control } from './control.js';
import { controlLimits } from './limits.js';
import { judgeMasking } from './masking.js';

/**
 * Do the model's own gradients break what its parent's break? A model whose gradients lead nowhere often keeps the
 * weaknesses of the one that it was made from.
 */
export const transferred: Control = {
  name: "gradients do what the parent's do",
  needsGradients: true,
  judge(evidence) {
    const names = withKnowledge(
      evidence.suite.map(({ attack }) => attack),
      'transfer',
    );
    return judgeMasking(
      evidence,
      evidence.rows.filter(
        (row) => isSurelyBrokenBy(names, row.attacks, evidence.randomised) && row.longer !== true,
      ).length,
      controlLimits.transferShare,
      (count) => `An attack through the parent breaks ${count} that the model's own gradients do not`,
    );
  },
};
