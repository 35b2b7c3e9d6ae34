import { isContradicted } from '../majority.js';
import { type Control, inconclusive } from './control.js';
import { controlLimits } from './limits.js';

/** Does the serving session confirm what the attacks claim? */
export const confirmedClaims: Control = {
  name: 'claims are confirmed',
  needsGradients: false,
  judge({ rows, randomised }) {
    const unconfirmed = rows.filter(
      ({ attacks }) =>
        attacks && Object.values(attacks).some((outcome) => outcome && isContradicted(outcome, randomised)),
    ).length;
    return unconfirmed > controlLimits.unconfirmedShare * rows.length
      ? [
          inconclusive(
            `The serving session does not confirm ${unconfirmed} adversarial examples that the attacks claim, expected at most ${controlLimits.unconfirmedShare * 100} % of ${rows.length}`,
          ),
        ]
      : [];
  },
};
