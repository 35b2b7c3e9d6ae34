import type { Classifier } from '../../../src/core/attacks/index.js';

/** A classifier whose logits and their derivatives are written down, computed in float64, sample by sample. */
export function analyticClassifier(
  size: number,
  classes: number,
  forward: (x: Float32Array) => readonly number[],
  /** Σ over classes of `weights[c]` · ∂logit c / ∂x. */
  pullBack: (x: Float32Array, weights: readonly number[]) => readonly number[],
): Classifier {
  const rowsOf = (inputs: Float32Array, n: number): readonly Float32Array[] =>
    Array.from({ length: n }, (_, row) => inputs.subarray(row * size, (row + 1) * size));
  return {
    shape: [size],
    classes,
    logits: async (inputs, n) => Float32Array.from(rowsOf(inputs, n).flatMap((x) => [...forward(x)])),
    async lossGradient(inputs, labels, n) {
      const loss = new Float32Array(n);
      const gradient = new Float32Array(n * size);
      const logits = new Float32Array(n * classes);
      rowsOf(inputs, n).forEach((x, row) => {
        const z = forward(x);
        const largest = Math.max(...z);
        const powers = z.map((value) => Math.exp(value - largest));
        const total = powers.reduce((sum, value) => sum + value, 0);
        const label = labels[row]!;
        logits.set(z, row * classes);
        loss[row] = Math.log(total) - (z[label]! - largest);
        gradient.set(
          pullBack(
            x,
            powers.map((value, c) => value / total - (c === label ? 1 : 0)),
          ),
          row * size,
        );
      });
      return { loss, gradient, logits };
    },
    async logitGradient(inputs, weights, n) {
      const gradients = rowsOf(inputs, n).flatMap((x, row) => [
        ...pullBack(x, [...weights.subarray(row * classes, (row + 1) * classes)]),
      ]);
      return Float32Array.from(gradients);
    },
    close: async () => undefined,
  };
}

/** Two classes with logits ±(w·x + b): the robust radius of a sample is known in closed form. */
export function linearClassifier(w: readonly number[], b: number): Classifier {
  const score = (x: Float32Array): number => w.reduce((sum, weight, i) => sum + weight * x[i]!, b);
  return analyticClassifier(
    w.length,
    2,
    (x) => [score(x), -score(x)],
    (_x, [up, down]) => w.map((weight) => weight * (up! - down!)),
  );
}

/** logits = V·tanh(U·x): curved, so that many small steps find more than one long one. */
export function tanhClassifier(
  U: readonly (readonly number[])[],
  V: readonly (readonly number[])[],
): Classifier {
  const hidden = (x: Float32Array): readonly number[] =>
    U.map((row) => Math.tanh(row.reduce((sum, weight, i) => sum + weight * x[i]!, 0)));
  return analyticClassifier(
    U[0]!.length,
    V.length,
    (x) => {
      const h = hidden(x);
      return V.map((row) => row.reduce((sum, weight, j) => sum + weight * h[j]!, 0));
    },
    (x, weights) => {
      const h = hidden(x);
      const behind = h.map(
        (value, j) => (1 - value * value) * V.reduce((sum, row, c) => sum + row[j]! * weights[c]!, 0),
      );
      return Array.from(x, (_, i) => U.reduce((sum, row, j) => sum + row[i]! * behind[j]!, 0));
    },
  );
}
