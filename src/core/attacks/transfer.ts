import { type ApgdOptions, autoPgd, type Objective } from './apgd.js';
import type { Attack, AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
import { gatherRows } from './batches.js';
import { crossEntropy } from './losses.js';
import { isMisclassified } from './predict.js';
import { square } from './square.js';

/**
 * Attacks through another model: Auto-PGD climbs the cross-entropy of the context's surrogate, and every point on the way
 * is tried on the attacked model, of which nothing is used but its answers. A surrogate that cannot be differentiated is
 * climbed by Square, and only where that ends is tried.
 *
 * Sources: Papernot, McDaniel, Goodfellow, "Transferability in machine learning", 2016, section 2; Wang et al., "With
 * great training comes great vulnerability: practical attacks against transfer learning", USENIX Security 2018, on parents.
 */
export const transfer: Attack<ApgdOptions> = {
  name: 'transfer',
  async run(classifier, samples, threat, options, context) {
    const { surrogate } = context;
    if (surrogate === undefined) throw new TypeError('expected a surrogate to attack through, got none');
    return surrogate.gradientObstacle === undefined
      ? autoPgd(
          { name: 'transfer', objective: climbing(surrogate) },
          classifier,
          samples,
          threat,
          options,
          context,
        )
      : blindly(surrogate, classifier, samples, threat, options, context);
  },
};

/** Losses and gradients of the one, answers of the other. */
function climbing(surrogate: Classifier): Objective {
  const { classes } = surrogate;
  return async (classifier, points, labels) => {
    const { gradient, logits } = await surrogate.lossGradient(points, labels, labels.length);
    return {
      losses: Array.from(labels, (label, row) =>
        crossEntropy(logits.subarray(row * classes, (row + 1) * classes), label),
      ),
      gradient,
      logits: await classifier.logits(points, labels.length),
    };
  };
}

async function blindly(
  surrogate: Classifier,
  classifier: Classifier,
  samples: Samples,
  threat: ThreatModel,
  { steps, restarts }: ApgdOptions,
  context: AttackContext,
): Promise<AttackResult> {
  const found = await square.run(surrogate, samples, threat, { queries: steps * restarts }, context);
  const size = threat.minimum.length;
  const tried: number[] = [];
  for (const index of samples.ids.keys()) {
    context.signal?.throwIfAborted();
    const logits = await classifier.logits(gatherRows(found.adversarial, size, [index]), 1);
    tried.push(isMisclassified(classifier, logits, 0, samples.labels[index]!) ? 1 : 0);
  }
  return { adversarial: found.adversarial, success: Uint8Array.from(tried) };
}
