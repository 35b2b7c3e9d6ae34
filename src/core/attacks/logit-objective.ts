import type { RatioAim } from '../onnx/index.js';
import type { Objective } from './apgd.js';
import { logitDifferenceRatio, targetedDifferenceRatio } from './losses.js';

/**
 * Climbs a difference of logits ratio, away from the label or towards the target. The losses are worked out here, in
 * float64; so are the derivatives by the logits, where the classifier has no run for both.
 */
export function climbRatio(aim: RatioAim): Objective {
  const ratio = aim === 'away' ? logitDifferenceRatio : targetedDifferenceRatio;
  return async (classifier, points, labels, targets) => {
    const { classes } = classifier;
    const n = labels.length;
    const ratiosOf = (logits: Float32Array) =>
      Array.from(labels, (label, row) =>
        ratio(logits.subarray(row * classes, (row + 1) * classes), label, targets[row]!),
      );
    if (classifier.ratioGradient) {
      const aims = aim === 'away' ? undefined : targets;
      const { gradient, logits } = await classifier.ratioGradient(points, labels, aims, n);
      return { losses: ratiosOf(logits).map(({ loss }) => loss), gradient, logits };
    }
    const logits = await classifier.logits(points, n);
    const ratios = ratiosOf(logits);
    const weights = Float32Array.from(ratios.flatMap((row) => row.weights));
    const gradient = await classifier.logitGradient(points, weights, n);
    return { losses: ratios.map(({ loss }) => loss), gradient, logits };
  };
}
