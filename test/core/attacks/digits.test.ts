import { readFileSync } from 'node:fs';
import path from 'node:path';
import { attacks, type Classifier, openClassifier, type Samples } from '../../../src/core/attacks/index.js';

/** What examples/digits/lifecycle.yaml trains: a CNN against PGD at a radius of 0.12. */
const onnx = readFileSync(path.join(__dirname, 'fixtures/digits-cnn.onnx'));
const lines = readFileSync(path.join(__dirname, '../../../examples/digits/digits.csv'), 'utf8')
  .trim()
  .split(/\r?\n/);
const rows = lines
  .slice(1)
  .filter((_, i) => i % 12 === 0)
  .map((line) => line.split(','));
const label = lines[0]!.split(',').indexOf('label');
const samples: Samples = {
  ids: rows.map((row) => row[0]!),
  inputs: Float32Array.from(
    rows.flatMap((row) => row.filter((_, i) => i !== 0 && i !== label).map((value) => Number(value) / 16)),
  ),
  labels: Uint32Array.from(rows, (row) => Number(row[label])),
};
const threat = {
  norm: 'linf',
  epsilon: 0.15,
  minimum: new Float32Array(64),
  maximum: new Float32Array(64).fill(1),
} as const;
const context = { seed: 3, batchSize: 64 };

describe('on a CNN trained against attack', () => {
  let classifier: Classifier;
  beforeAll(async () => {
    classifier = await openClassifier(onnx, [1, 8, 8]);
  });
  afterAll(() => classifier.close());

  it('Auto-PGD is as strong as PGD of as many steps, and Square breaks nothing that gradients do not', async () => {
    const robust = (success: Uint8Array): number =>
      success.filter((value) => value === 0).length / rows.length;
    const pgd = await attacks.pgd.run(
      classifier,
      samples,
      threat,
      { steps: 50, restarts: 1, stepSize: (2.5 * 0.15) / 50 },
      context,
    );
    const how = { steps: 50, restarts: 1 };
    const crossEntropy = await attacks['apgd-ce'].run(classifier, samples, threat, how, context);
    const ratio = await attacks['apgd-dlr'].run(classifier, samples, threat, how, context);
    const square = await attacks.square.run(classifier, samples, threat, { queries: 300 }, context);
    expect(robust(pgd.success)).toBeGreaterThan(0.5);
    expect(robust(pgd.success)).toBeLessThan(0.8);
    expect(robust(crossEntropy.success)).toBeLessThanOrEqual(robust(pgd.success) + 0.01);
    expect(robust(ratio.success)).toBeLessThanOrEqual(robust(pgd.success) + 0.03);
    // A black box is weaker, and breaks next to nothing that gradients do not.
    expect(robust(square.success)).toBeLessThanOrEqual(robust(pgd.success) + 0.12);
    const gradients = [pgd, crossEntropy, ratio];
    const only = rows.filter((_, i) => square.success[i] && !gradients.some(({ success }) => success[i]));
    expect(only.length).toBeLessThanOrEqual(1);
  });
});
