import type { Attack } from './attack.js';
import { batchesOf, gatherRows } from './batches.js';
import { isMisclassified } from './predict.js';
import { feasible, furthest } from './projection.js';
import { allowedBox } from './threat-model.js';

/**
 * The fast gradient sign method: one step to the point of the ball and the valid range where a linear model with this
 * gradient would be worst. Under L∞ that is a corner of the ball; under L2 it lies along the gradient, cut at the range;
 * under L1 it moves the steepest values only. Where the gradient is zero it does not move.
 *
 * Source: Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 4.
 */
export const fgsm: Attack<Record<string, never>> = {
  name: 'fgsm',
  async run(classifier, samples, threat, _options, { batchSize, signal, onProgress }) {
    const size = threat.minimum.length;
    const reach = { samples, threat, size, box: allowedBox(samples, threat) };
    const adversarial = samples.inputs.slice();
    const success = new Uint8Array(samples.ids.length);
    let done = 0;

    for (const batch of batchesOf([...samples.ids.keys()], batchSize)) {
      signal?.throwIfAborted();
      const labels = Uint32Array.from(batch, (index) => samples.labels[index]!);
      const clean = await classifier.lossGradient(
        gatherRows(samples.inputs, size, batch),
        labels,
        batch.length,
      );
      const attacked: number[] = [];
      batch.forEach((index, row) => {
        if (isMisclassified(classifier, clean.logits, row, labels[row]!)) {
          success[index] = 1;
          return;
        }
        attacked.push(index);
        const slope = clean.gradient.subarray(row * size, (row + 1) * size);
        adversarial.set(feasible(reach, index, furthest(reach, index, slope)), index * size);
      });
      if (attacked.length > 0) {
        const logits = await classifier.logits(gatherRows(adversarial, size, attacked), attacked.length);
        attacked.forEach((index, row) => {
          if (isMisclassified(classifier, logits, row, samples.labels[index]!)) success[index] = 1;
        });
      }
      done += batch.length;
      onProgress?.(done / samples.ids.length);
    }
    return { adversarial, success };
  },
};
