import { survivesSuite } from '../evasion-row.js';
import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/**
 * Had the attack converged when it ended? The best of many losses that are means over draws goes on rising by luck, so of
 * randomised models this says nothing; what twice the iterations break does.
 */
export const lateRise: Control = {
  name: 'the loss has converged',
  needsGradients: true,
  of: 'deterministic',
  judge({ rows }) {
    const survivors = rows.filter(survivesSuite);
    const known = survivors.flatMap(({ lateRise: rise }) => rise ?? []);
    const { most, share } = controlLimits.lateRise;
    if (known.length < survivors.length) {
      return [notRun('look at the last ten steps', known.length, survivors.length)];
    }
    const settled = known.filter((rise) => rise <= most).length;
    return settled >= share * known.length
      ? []
      : [
          inconclusive(
            `Over the last ten steps the loss moves by at most ${most} at ${settled} of ${known.length} survivors, expected ${share * 100} %`,
          ),
        ];
  },
};
