import { type ApgdOptions, autoPgd, type Objective } from './apgd.js';
import type { Attack } from './attack.js';
import { climbRatio } from './logit-objective.js';
import { likeliestOthers } from './targets.js';

export interface ApgdTargetedOptions extends ApgdOptions {
  /** How many other classes to climb towards, one after the other, the likeliest first. */
  readonly targets: number;
}

/**
 * Auto-PGD on the targeted difference of logits ratio, towards one other class after the other. Any misclassification
 * counts. See {@link autoPgd} and {@link climbRatio}.
 */
export const apgdT: Attack<ApgdTargetedOptions> = {
  name: 'apgd-t',
  run: (classifier, samples, threat, options, context) =>
    autoPgd(
      {
        name: 'apgd-t',
        objective: climbTargetedRatio,
        targets: (logits, label) => likeliestOthers(logits, label, options.targets),
      },
      classifier,
      samples,
      threat,
      options,
      context,
    ),
};

const climbTargetedRatio: Objective = climbRatio('towards');
