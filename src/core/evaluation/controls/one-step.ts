import { suiteOrder } from '../../spec/index.js';
import { isBrokenBy, isSurelyBrokenBy } from '../evasion-row.js';
import { withKnowledge } from '../suite-attacks.js';
import type { Control } from './control.js';
import { controlLimits } from './limits.js';
import { judgeMasking } from './masking.js';

/** Do many steps break what one step breaks? */
export const oneStep: Control = {
  name: 'many steps do what one step does',
  needsGradients: true,
  judge(evidence) {
    const [single, many] = [withKnowledge(suiteOrder, 'one-step'), withKnowledge(suiteOrder, 'white-box')];
    const only = evidence.rows.filter(
      ({ attacks }) => isSurelyBrokenBy(single, attacks, evidence.randomised) && !isBrokenBy(many, attacks),
    ).length;
    return judgeMasking(
      evidence,
      only,
      controlLimits.oneStepShare,
      (count) => `One step (FGSM) breaks ${count} that many steps (PGD, APGD) do not`,
    );
  },
};
