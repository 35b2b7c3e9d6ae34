import { type ApgdOptions, autoPgd, type Objective } from './apgd.js';
import type { Attack } from './attack.js';
import { crossEntropy } from './losses.js';

/** Auto-PGD on the cross-entropy; see {@link autoPgd}. */
export const apgdCe: Attack<ApgdOptions> = {
  name: 'apgd-ce',
  run: (...how) => autoPgd({ name: 'apgd-ce', objective: climbCrossEntropy }, ...how),
};

const climbCrossEntropy: Objective = async (classifier, points, labels) => {
  const { classes } = classifier;
  const { gradient, logits } = await classifier.lossGradient(points, labels, labels.length);
  const losses = Array.from(labels, (label, row) =>
    crossEntropy(logits.subarray(row * classes, (row + 1) * classes), label),
  );
  return { losses, gradient, logits };
};
