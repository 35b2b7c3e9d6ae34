import type { Classifier } from '../attacks/index.js';

/** Gap between the two logits that the reading begins at, as attacks are used to. */
const GAP = 10;

/**
 * A model of two classes read out of another's logits z: class 1 where direction · z exceeds the threshold, class 0 elsewhere.
 * Its gradients are the model's own.
 */
export function crossEntropyReader(
  classifier: Classifier,
  direction: Float64Array,
  threshold: number,
): Classifier {
  const { classes } = classifier;
  const steepness = GAP / direction.reduce((sum, weight) => sum + weight * weight, 0);
  const read = async (inputs: Float32Array, n: number): Promise<Float32Array> => {
    const logits = await classifier.logits(inputs, n);
    const heights = new Float32Array(2 * n);
    for (let row = 0; row < n; row++) {
      const height = direction.reduce(
        (sum, weight, c) => sum + weight * logits[row * classes + c]!,
        -threshold,
      );
      heights[2 * row + 1] = steepness * height;
    }
    return heights;
  };
  const carryBack = (inputs: Float32Array, slopes: readonly number[]): Promise<Float32Array> =>
    classifier.logitGradient(
      inputs,
      Float32Array.from(
        slopes.flatMap((slope) => [...direction].map((weight) => slope * steepness * weight)),
      ),
      slopes.length,
    );
  return {
    shape: classifier.shape,
    classes: 2,
    logits: read,
    async lossGradient(inputs, labels, n) {
      const logits = await read(inputs, n);
      const margins = Array.from(labels, (label, row) => (label === 0 ? 1 : -1) * logits[2 * row + 1]!);
      const slopes = margins.map((margin, row) => (labels[row] === 0 ? 1 : -1) / (1 + Math.exp(-margin)));
      return {
        loss: Float32Array.from(margins, (margin) => Math.log1p(Math.exp(margin))),
        gradient: await carryBack(inputs, slopes),
        logits,
      };
    },
    logitGradient: (inputs, weights, n) =>
      carryBack(
        inputs,
        Array.from({ length: n }, (_, row) => weights[2 * row + 1]!),
      ),
    async close() {},
  };
}
