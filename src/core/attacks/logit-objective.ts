import type { Objective } from './apgd.js';
import type { LogitLoss } from './losses.js';

/** Climbs a loss of the logits that is worked out here, in float64, and carried back through the model. */
export function climbLogitLoss(
  lossOf: (logits: Float32Array, label: number, target: number) => LogitLoss,
): Objective {
  return async (classifier, points, labels, targets) => {
    const { classes } = classifier;
    const logits = await classifier.logits(points, labels.length);
    const rows = Array.from(labels, (label, row) =>
      lossOf(logits.subarray(row * classes, (row + 1) * classes), label, targets[row]!),
    );
    const weights = Float32Array.from(rows.flatMap((row) => row.weights));
    const gradient = await classifier.logitGradient(points, weights, labels.length);
    return { losses: rows.map(({ loss }) => loss), gradient, logits };
  };
}
