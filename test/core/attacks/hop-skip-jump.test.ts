import {
  attacks,
  type Classifier,
  predictedClass,
  type Samples,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { analyticClassifier, linearClassifier } from './analytic-classifiers.js';

const SIZE = 6;
const context = { seed: 4, batchSize: 16 };
const weights = [0.9, -0.5, 0.3, 0.7, -0.2, 0.4];
const linear = linearClassifier(weights, -weights.reduce((sum, weight) => sum + weight, 0) / 2);
/** Class 1 inside a ball of radius 0.6 around the middle: from the middle, every boundary point is 0.6 away. */
const sphere = analyticClassifier(
  SIZE,
  2,
  (x) => [Math.hypot(...x.map((value) => value - 0.5)) - 0.6, 0],
  (x, [up]) => {
    const away = Math.hypot(...x.map((value) => value - 0.5)) || 1;
    return Array.from(x, (value) => (up! * (value - 0.5)) / away);
  },
);
const threatOf = (norm: ThreatModel['norm'], epsilon: number): ThreatModel => ({
  norm,
  epsilon,
  minimum: new Float32Array(SIZE).fill(-2),
  maximum: new Float32Array(SIZE).fill(3),
});

/** Samples around the middle with the labels that the model gives them. */
async function around(classifier: Classifier, n: number): Promise<Samples> {
  const stream = randomStream(9, 'hop-skip-jump.test');
  const inputs = Float32Array.from({ length: n * SIZE }, () => 0.4 + 0.2 * stream.uniform());
  const logits = await classifier.logits(inputs, n);
  const ids = Array.from({ length: n }, (_, i) => `sample-${i}`);
  return { ids, inputs, labels: Uint32Array.from(ids, (_, i) => predictedClass(logits, 2, i)) };
}

const run = (classifier: Classifier, samples: Samples, threat: ThreatModel, queries: number) =>
  attacks['hop-skip-jump'].run(classifier, samples, threat, { queries }, context);

describe('HopSkipJump', () => {
  it.each(['linf', 'l2', 'l1'] as const)(
    'comes within a tenth of the least %s distance to a plane, and never below it',
    async (norm) => {
      const samples = await around(linear, 6);
      const dual = {
        linf: weights.reduce((sum, weight) => sum + Math.abs(weight), 0),
        l2: Math.hypot(...weights),
        l1: Math.max(...weights.map(Math.abs)),
      }[norm];
      for (const [i, id] of samples.ids.entries()) {
        const x = samples.inputs.slice(i * SIZE, (i + 1) * SIZE);
        const score = weights.reduce((sum, weight, k) => sum + weight * (x[k]! - 0.5), 0);
        const least = Math.abs(score) / dual;
        const one = { ids: [id], inputs: x, labels: samples.labels.slice(i, i + 1) };
        const above = await run(linear, one, threatOf(norm, 1.1 * least), 1500);
        const below = await run(linear, one, threatOf(norm, (1 - 1e-4) * least), 200);
        expect([id, above.success[0], below.success[0]]).toEqual([id, 1, 0]);
      }
    },
  );

  it('finds the nearest point of a sphere', async () => {
    const samples: Samples = {
      ids: ['middle'],
      inputs: new Float32Array(SIZE).fill(0.5),
      labels: Uint32Array.of(1),
    };
    expect((await run(sphere, samples, threatOf('l2', 0.6 * 1.01), 300)).success[0]).toBe(1);
    expect((await run(sphere, samples, threatOf('l2', 0.6 * 0.999), 300)).success[0]).toBe(0);
  });

  it('knows nothing but the class: whatever else logits say changes no byte', async () => {
    const samples = await around(linear, 6);
    const labelsOnly: Classifier = {
      ...linear,
      async logits(points, n) {
        const logits = await linear.logits(points, n);
        return Float32Array.from(logits, (_, at) =>
          predictedClass(logits, 2, Math.floor(at / 2)) === at % 2 ? 1 : 0,
        );
      },
      lossGradient: () => Promise.reject(new Error('no gradients here')),
      logitGradient: () => Promise.reject(new Error('no gradients here')),
    };
    const threat = threatOf('l2', 0.05);
    const seen = await run(linear, samples, threat, 200);
    expect(new Set(seen.success)).toEqual(new Set([0, 1]));
    expect(await run(labelsOnly, samples, threat, 200)).toEqual(seen);
  });

  it('asks no more often than it is told to', async () => {
    const samples = await around(linear, 6);
    let asked = 0;
    const counting: Classifier = {
      ...linear,
      logits(points, n) {
        asked += n;
        return linear.logits(points, n);
      },
    };
    await run(counting, samples, threatOf('l2', 1e-6), 150);
    expect(asked).toBeGreaterThan(6 * 140);
    expect(asked).toBeLessThanOrEqual(6 * 151);
  });
});
