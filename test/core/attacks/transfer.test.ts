import {
  type AttackContext,
  attacks,
  type Classifier,
  insideThreatModel,
  predictedClass,
  type Samples,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { linearClassifier } from './analytic-classifiers.js';

const SIZE = 8;
const N = 80;
const stream = randomStream(5, 'transfer.test');
const weights = Array.from({ length: SIZE }, () => stream.normal());
const bias = -weights.reduce((sum, w) => sum + w, 0) / 2;
/** What the attacker owns; the model itself was trained on from it. */
const parent = linearClassifier(weights, bias);
const model = linearClassifier(
  weights.map((w) => w + 0.2 * stream.normal()),
  bias,
);
const threat: ThreatModel = {
  norm: 'linf',
  epsilon: 0.1,
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
};
const inputs = Float32Array.from({ length: N * SIZE }, () => stream.uniform());
const context: AttackContext = { seed: 1, batchSize: 32 };
let samples: Samples;
beforeAll(async () => {
  const logits = await model.logits(inputs, N);
  samples = {
    ids: Array.from({ length: N }, (_, i) => `sample-${i}`),
    inputs,
    labels: Uint32Array.from({ length: N }, (_, i) => predictedClass(logits, 2, i)),
  };
});

/** Answers and nothing else. */
const blind = (classifier: Classifier): Classifier => ({
  ...classifier,
  gradientObstacle: 'not differentiable',
  lossGradient: () => Promise.reject(new Error('no gradients')),
  logitGradient: () => Promise.reject(new Error('no gradients')),
});
const through = (surrogate: Classifier, attacked = blind(model)) =>
  attacks.transfer.run(attacked, samples, threat, { steps: 10, restarts: 1 }, { ...context, surrogate });
const count = (success: Uint8Array): number => success.reduce((sum, value) => sum + value, 0);

describe('an attack through a surrogate', () => {
  it('breaks a related model of which it sees only answers, nearly as its own gradients do', async () => {
    const [own, transferred] = [await through(model), await through(parent)];
    expect(count(own.success)).toBeGreaterThan(10);
    expect(count(transferred.success)).toBeGreaterThanOrEqual(0.7 * count(own.success));
  });

  it('counts what the attacked model gets wrong, not what the surrogate does', async () => {
    for (const surrogate of [parent, blind(parent)]) {
      const { adversarial, success } = await through(surrogate);
      const [answers, fooled] = [await model.logits(adversarial, N), await parent.logits(adversarial, N)];
      const wrong = (logits: Float32Array, i: number) => predictedClass(logits, 2, i) !== samples.labels[i];
      samples.ids.forEach((_, i) => {
        expect(success[i] === 1).toBe(wrong(answers, i));
        const at = (values: Float32Array) => values.subarray(i * SIZE, (i + 1) * SIZE);
        expect(insideThreatModel(at(inputs), at(adversarial), threat)).toBe(true);
      });
      expect(count(success)).toBeGreaterThan(5);
      expect(samples.ids.some((_, i) => wrong(fooled, i) && !wrong(answers, i))).toBe(true);
    }
  });

  it('breaks little through a model that has nothing to do with it', async () => {
    const stranger = linearClassifier(
      weights.map((w, i) => (i % 2 === 0 ? w : -w)),
      0,
    );
    expect(count((await through(stranger)).success)).toBeLessThan(count((await through(parent)).success) / 2);
  });

  it('needs a surrogate', async () => {
    const without = attacks.transfer.run(model, samples, threat, { steps: 2, restarts: 1 }, context);
    await expect(without).rejects.toThrow(TypeError);
  });
});
