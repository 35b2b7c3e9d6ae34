import { predictedClass } from '../../attacks/index.js';
import type { NormalField } from '../../random/index.js';
import type { CertifiableModel } from '../certificate.js';

/** A batch of noisy copies holds about so many values, and so many copies at most. */
const BATCH_VALUES = 2 ** 18;
const BATCH_COPIES = 256;

/** What of a model the smoothed classifier is made of. */
export type BaseClassifier = Pick<CertifiableModel, 'classes' | 'logits'>;

/**
 * What the base classifier makes of a sample under Gaussian noise: of copy c, x + σ·z with z the draws c·size … (c+1)·size − 1.
 *
 * The sum is taken in float64 and rounded once to float32. That rounding is a part of the base classifier, like its float32
 * forward pass; copies leave the valid range and are not clipped. While the session computes one batch, the noise of the next is
 * drawn.
 *
 * @param copies - number of copies
 * @returns class index of each copy; `NO_CLASS` (−1) where its logits are not finite
 */
export async function noisyAnswers(
  { classes, logits }: BaseClassifier,
  sample: Float32Array,
  { sigma, copies, noise }: { readonly sigma: number; readonly copies: number; readonly noise: NormalField },
): Promise<Int32Array> {
  const { length: size } = sample;
  const most = Math.max(1, Math.min(BATCH_COPIES, Math.floor(BATCH_VALUES / size)));
  const answers = new Int32Array(copies);
  const draws = new Float64Array(most * size);
  let running: Promise<void> = Promise.resolve();
  try {
    for (let from = 0; from < copies; from += most) {
      const n = Math.min(most, copies - from);
      const inputs = new Float32Array(n * size);
      noise.fill(draws.subarray(0, n * size), from * size);
      for (let i = 0; i < inputs.length; i++) inputs[i] = sample[i % size]! + sigma * draws[i]!;
      await running;
      running = logits(inputs, n).then((scores) => {
        for (let row = 0; row < n; row++) answers[from + row] = predictedClass(scores, classes, row);
      });
      // Whoever awaits it next meets its failure; until then it is no unhandled one.
      running.catch(() => {});
    }
  } finally {
    await running;
  }
  return answers;
}
