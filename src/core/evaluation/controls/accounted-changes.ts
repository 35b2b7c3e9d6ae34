import { type Control, inconclusive } from './control.js';
import { controlLimits } from './limits.js';

/**
 * Do gradients account for all that the function does, or does it jump where they do not see it? That they were looked at
 * is another control's matter.
 */
export const accountedChanges: Control = {
  name: 'gradients account for all changes',
  needsGradients: true,
  judge({ rows }) {
    const checked = rows.flatMap(({ gradient }) => gradient ?? []);
    const { most, share } = controlLimits.unaccounted;
    const smooth = checked.filter(({ unaccounted }) => unaccounted !== null && unaccounted <= most).length;
    return smooth >= share * checked.length
      ? []
      : [
          inconclusive(
            `On the way to a random input, gradients account for what the logits do but for ${most * 100} % at ${smooth} of ${checked.length} samples, expected ${share * 100} %`,
          ),
        ];
  },
};
