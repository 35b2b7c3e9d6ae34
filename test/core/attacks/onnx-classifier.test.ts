import {
  type AttackContext,
  type AttackResult,
  attacks,
  type Classifier,
  openClassifier,
  type Samples,
  type ThreatModel,
} from '../../../src/core/attacks/index.js';
import { clouds, networkOnnx, SIZE, train } from '../evaluation/small-models.js';

const onnx = networkOnnx(train(clouds(150, 'train'), 15));
const samples = clouds(60, 'test');
const threat: ThreatModel = {
  norm: 'linf',
  epsilon: 0.1,
  minimum: new Float32Array(SIZE),
  maximum: new Float32Array(SIZE).fill(1),
};

function pick({ ids, inputs, labels }: Samples, positions: readonly number[]): Samples {
  return {
    ids: positions.map((p) => ids[p]!),
    inputs: Float32Array.from(positions.flatMap((p) => [...inputs.subarray(p * SIZE, (p + 1) * SIZE)])),
    labels: Uint32Array.from(positions, (p) => labels[p]!),
  };
}

describe('an ONNX model under attack', () => {
  it.each<
    [string, (classifier: Classifier, chosen: Samples, context: AttackContext) => Promise<AttackResult>]
  >([
    [
      'pgd',
      (...[c, s, how]) => attacks.pgd.run(c, s, threat, { steps: 6, restarts: 2, stepSize: 0.03 }, how),
    ],
    ['apgd-ce', (...[c, s, how]) => attacks['apgd-ce'].run(c, s, threat, { steps: 6, restarts: 2 }, how)],
    ['apgd-dlr', (...[c, s, how]) => attacks['apgd-dlr'].run(c, s, threat, { steps: 6, restarts: 2 }, how)],
    ['square', (...[c, s, how]) => attacks.square.run(c, s, threat, { queries: 20 }, how)],
  ])(
    'is attacked by %s to the same bytes in ONNX Runtime whatever the batch size and the order',
    async (_name, attack) => {
      const classifier = await openClassifier(onnx, [SIZE]);
      try {
        const run = (chosen: Samples, batchSize: number) =>
          attack(classifier, chosen, { seed: 9, batchSize });
        const reference = await run(samples, 64);
        expect(new Set(reference.success)).toEqual(new Set([0, 1]));
        const shuffled = samples.ids.map((_, i) => (i * 37) % samples.ids.length);
        for (const batchSize of [1, 7]) {
          const result = await run(pick(samples, shuffled), batchSize);
          expect(result.adversarial).toEqual(
            pick({ ...samples, inputs: reference.adversarial }, shuffled).inputs,
          );
          expect([...result.success]).toEqual(shuffled.map((p) => reference.success[p]));
        }
      } finally {
        await classifier.close();
      }
    },
  );

  it('carries weights of its logits back to its input as it does the cross-entropy', async () => {
    const classifier = await openClassifier(onnx, [SIZE]);
    try {
      const n = samples.ids.length;
      const { gradient, logits } = await classifier.lossGradient(samples.inputs, samples.labels, n);
      expect(await classifier.logits(samples.inputs, n)).toEqual(logits);
      const weights = Float32Array.from(logits, (_, at) => {
        const row = [...logits.subarray(3 * Math.floor(at / 3), 3 * Math.floor(at / 3) + 3)];
        const total = row.reduce((sum, z) => sum + Math.exp(z), 0);
        return Math.exp(row[at % 3]!) / total - (samples.labels[Math.floor(at / 3)] === at % 3 ? 1 : 0);
      });
      const carried = await classifier.logitGradient(samples.inputs, weights, n);
      const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      carried.forEach((value, i) => {
        expect(Math.abs(value - gradient[i]!)).toBeLessThan(1e-4 * largest);
      });
    } finally {
      await classifier.close();
    }
  });

  it('scales its logits exactly, however far', async () => {
    const plain = await openClassifier(onnx, [SIZE]);
    const scaled = await openClassifier(onnx, [SIZE], -90);
    const expected = await plain.logits(samples.inputs, samples.ids.length);
    const got = await scaled.logits(samples.inputs, samples.ids.length);
    await Promise.all([plain.close(), scaled.close()]);
    expect(plain.classes).toBe(3);
    expect(got.map((value) => value * 2 ** 90)).toEqual(expected);
  });

  it('is broken as often when its logits saturate the cross-entropy', async () => {
    const broken: number[] = [];
    for (const exponent of [0, 8]) {
      const classifier = await openClassifier(onnx, [SIZE], exponent);
      const options = { steps: 6, restarts: 1, stepSize: 0.03 };
      const { success } = await attacks.pgd.run(classifier, samples, threat, options, {
        seed: 9,
        batchSize: 64,
      });
      await classifier.close();
      broken.push(success.reduce((sum, value) => sum + value, 0));
    }
    expect(broken[0]).toBeGreaterThan(10);
    expect(Math.abs(broken[1]! - broken[0]!)).toBeLessThanOrEqual(2);
  });

  it('is refused when it is no model, and when it takes other samples', async () => {
    await expect(openClassifier(new Uint8Array([1, 2, 3]), [SIZE])).rejects.toMatchObject({
      code: 'model-unreadable',
    });
    await expect(openClassifier(onnx, [SIZE + 1])).rejects.toMatchObject({ code: 'input-invalid' });
  });
});
