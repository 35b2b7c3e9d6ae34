import type { Samples } from '../../../src/core/attacks/index.js';
import { unaccountedChange } from '../../../src/core/evaluation/gradient-sum.js';
import { analyticClassifier, linearClassifier } from '../attacks/analytic-classifiers.js';

const samples: Samples = {
  ids: ['a', 'b', 'c'],
  inputs: Float32Array.of(0, 0, 0.1, 0, 0, 0.1),
  labels: new Uint32Array(3),
};
const threat = {
  norm: 'linf',
  epsilon: 0.1,
  minimum: new Float32Array(2),
  maximum: Float32Array.of(1, 1),
} as const;

const shares = (classifier: Parameters<typeof unaccountedChange>[0]) =>
  Promise.all([0, 1, 2].map((index) => unaccountedChange(classifier, samples, index, threat, 1)));

/** Two logits ±f(x₀ + x₁), whose gradient is said to be the slope. */
const ofSum = (f: (sum: number) => number, slope: (sum: number) => number) =>
  analyticClassifier(
    2,
    2,
    ([a, b]) => [f(a! + b!), -f(a! + b!)],
    ([a, b], [up, down]) => [0, 1].map(() => slope(a! + b!) * (up! - down!)),
  );

describe('what gradients leave unaccounted on the way to a random input', () => {
  it('is nothing of a linear model, and next to nothing of one that bends', async () => {
    for (const share of await shares(linearClassifier([1, -3], 0.2))) expect(share).toBeLessThan(1e-5);
    const bent = ofSum(
      (sum) => Math.max(0, sum - 0.3),
      (sum) => (sum > 0.3 ? 1 : 0),
    );
    for (const share of await shares(bent)) expect(share).toBeLessThan(0.02);
  });

  it('is all of a staircase, whose gradient is zero', async () => {
    const steps = ofSum(
      (sum) => Math.floor(20 * sum),
      () => 0,
    );
    for (const share of await shares(steps)) expect(share).toBe(1);
  });

  it('is the jump, in parts of all changes, of a model that jumps beside a right slope', async () => {
    const jumping = ofSum(
      (sum) => 0.5 * sum + (sum > 0.15 ? 3 : 0),
      () => 0.5,
    );
    for (const share of await shares(jumping)) {
      expect(share).toBeGreaterThan(0.7);
      expect(share).toBeLessThan(1);
    }
  });

  it('is unknown of a model that never changes, or whose answers are no numbers', async () => {
    const flat = ofSum(
      () => 1,
      () => 0,
    );
    expect(await shares(flat)).toEqual([null, null, null]);
    const nowhere = ofSum(
      () => Number.NaN,
      () => 1,
    );
    expect(await shares(nowhere)).toEqual([null, null, null]);
  });
});
