import { isSurelyBrokenBy } from '../evasion-row.js';
import { withKnowledge } from '../suite-attacks.js';
import type { Control } from './control.js';
import { controlLimits } from './limits.js';
import { judgeMasking } from './masking.js';

/** What attacks that see only answers are called in a sentence. */
const titles: Readonly<Record<string, string>> = {
  square: 'Square',
  'hop-skip-jump': 'HopSkipJump',
  'patch-search': 'random search of a patch',
};

/**
 * Do gradients break what attacks without them break? These are run on what the suite's gradients left. What longer climbs
 * break after all was short of patience, not of gradients; that is another control's matter.
 */
export const blackBox: Control = {
  name: 'gradients do what black boxes do',
  needsGradients: true,
  judge(evidence) {
    return withKnowledge(
      evidence.suite.map(({ attack }) => attack),
      'black-box',
    ).flatMap((name) =>
      judgeMasking(
        evidence,
        evidence.rows.filter(
          (row) => isSurelyBrokenBy([name], row.attacks, evidence.randomised) && row.longer !== true,
        ).length,
        controlLimits.blackBoxShare,
        (count) => `A black box (${titles[name] ?? name}) breaks ${count} that the gradient attacks do not`,
      ),
    );
  },
};
