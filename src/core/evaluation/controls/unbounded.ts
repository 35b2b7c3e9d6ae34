import { survivesSuite } from '../evasion-row.js';
import { type Control, inconclusive, notRun } from './control.js';
import { controlLimits } from './limits.js';

/** Does everything break when the radius does not count? What withstands that is not robust but unattacked. */
export const unbounded: Control = {
  name: 'an attack without a radius leaves none',
  needsGradients: true,
  judge({ rows }) {
    const survivors = rows.filter(survivesSuite);
    const tried = survivors.filter(({ unbounded: broken }) => broken !== null);
    const expected = Math.min(controlLimits.unboundedSamples, survivors.length);
    if (tried.length < expected) return [notRun('attack without a radius', tried.length, expected)];
    const standing = tried.filter(({ unbounded: broken }) => broken === false).length;
    return standing === 0
      ? []
      : [
          inconclusive(
            `An attack without a radius leaves ${standing} of ${tried.length} survivors standing, expected none`,
          ),
        ];
  },
};
