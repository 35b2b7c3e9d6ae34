import { type SuiteAttackName, suiteOrder } from '../../spec/index.js';
import { isBrokenBy, isSurelyBrokenBy } from '../evasion-row.js';
import { withKnowledge } from '../suite-attacks.js';
import type { Control } from './control.js';
import { controlLimits } from './limits.js';
import { judgeMasking } from './masking.js';

/** What is said of attacks that do with less. */
const titles: Readonly<Partial<Record<SuiteAttackName, (count: string) => string>>> = {
  sticker: (count) => `One sticker for all samples breaks ${count} that a patch for each does not`,
};

/** Do many steps break what one step breaks, and what one change for all samples breaks? */
export const oneStep: Control = {
  name: 'many steps do what one step does',
  needsGradients: true,
  judge(evidence) {
    const many = withKnowledge(suiteOrder, 'white-box');
    return withKnowledge(suiteOrder, 'one-step', 'universal').flatMap((name) => {
      const only = evidence.rows.filter(
        ({ attacks }) => isSurelyBrokenBy([name], attacks, evidence.randomised) && !isBrokenBy(many, attacks),
      ).length;
      return judgeMasking(
        evidence,
        only,
        controlLimits.oneStepShare,
        titles[name] ?? ((count) => `One step (FGSM) breaks ${count} that many steps (PGD, APGD) do not`),
      );
    });
  },
};
