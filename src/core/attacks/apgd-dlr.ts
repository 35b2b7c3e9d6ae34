import { type ApgdOptions, autoPgd } from './apgd.js';
import type { Attack } from './attack.js';
import { climbRatio } from './logit-objective.js';

/**
 * Auto-PGD on the difference of logits ratio, which no scale of the logits can flatten; on the margin where there are
 * three classes or fewer. See {@link autoPgd} and {@link climbRatio}.
 */
export const apgdDlr: Attack<ApgdOptions> = {
  name: 'apgd-dlr',
  run: (...how) => autoPgd({ name: 'apgd-dlr', objective: climbRatio('away') }, ...how),
};
