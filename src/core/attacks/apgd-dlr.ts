import { type ApgdOptions, autoPgd, type Objective } from './apgd.js';
import type { Attack } from './attack.js';
import { logitDifferenceRatio } from './losses.js';

/**
 * Auto-PGD on the difference of logits ratio, which no scale of the logits can flatten; on the margin where there are
 * three classes or fewer. See {@link autoPgd} and {@link logitDifferenceRatio}.
 */
export const apgdDlr: Attack<ApgdOptions> = {
  name: 'apgd-dlr',
  run: (...how) => autoPgd({ name: 'apgd-dlr', objective: climbRatio }, ...how),
};

const climbRatio: Objective = async (classifier, points, labels) => {
  const { classes } = classifier;
  const logits = await classifier.logits(points, labels.length);
  const rows = Array.from(labels, (label, row) =>
    logitDifferenceRatio(logits.subarray(row * classes, (row + 1) * classes), label),
  );
  const weights = Float32Array.from(rows.flatMap((row) => row.weights));
  const gradient = await classifier.logitGradient(points, weights, labels.length);
  return { losses: rows.map(({ loss }) => loss), gradient, logits };
};
