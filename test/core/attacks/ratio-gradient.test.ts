import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { type Classifier, openClassifier } from '../../../src/core/attacks/index.js';
import { climbRatio } from '../../../src/core/attacks/logit-objective.js';
import { encodeModel, graphBuilder } from '../../../src/core/onnx/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { clouds, networkOnnx, SIZE, train } from '../evaluation/small-models.js';

const aims = ['away', 'towards'] as const;

/** A classifier whose input is its logits, so that its gradients are the derivatives of the loss by them. */
function bareLogits(classes: number, opset = 17): Promise<Classifier> {
  const b = graphBuilder(opset);
  b.output(
    'z',
    'float',
    ['N', classes],
    b.op('Neg', b.op('Neg', [b.input('x', 'float', ['N', classes])]))[0],
  );
  return openClassifier(encodeModel(b.toModel()), [classes]);
}

/** Climbs a ratio in one run and in two, and compares all but the length of the gradients. @returns how many had one */
async function expectAgreement(
  classifier: Classifier,
  aim: (typeof aims)[number],
  points: Float32Array,
  labels: Uint32Array,
  targets: Uint32Array,
): Promise<number> {
  const { ratioGradient: _, ...twoRuns } = classifier;
  const [one, two] = await Promise.all(
    [classifier, twoRuns].map((each) => climbRatio(aim)(each, points, labels, targets)),
  );
  expect(one!.logits).toEqual(two!.logits);
  expect(one!.losses).toEqual(two!.losses);
  const size = points.length / labels.length;
  let sloping = 0;
  for (const row of labels.keys()) {
    const [ours, reference] = [one!, two!].map(({ gradient }) =>
      gradient.subarray(row * size, (row + 1) * size),
    );
    const [most, length] = [ours!, reference!].map((slopes) => Math.max(...slopes.map(Math.abs)));
    // Where the rival is the largest logit and the label the third, the ratio is 1 wherever they go: rounding alone is left.
    if (length! < 1e-6) continue;
    sloping += 1;
    const apart = ours!.map((slope, i) => Math.abs(slope / most! - reference![i]! / length!));
    expect(Math.max(...apart)).toBeLessThan(1e-4);
  }
  return sloping;
}

describe('a ratio of logits is climbed in one run as in two', () => {
  it.each([
    [1, 17],
    [2, 17],
    [3, 17],
    [4, 11],
    [6, 17],
  ])('of %d classes, ties and all (operator set %d)', async (classes, opset) => {
    const classifier = await bareLogits(classes, opset);
    const rows = fc.array(
      fc.tuple(
        fc.array(fc.integer({ min: -3, max: 3 }), { minLength: classes, maxLength: classes }),
        fc.nat(classes - 1),
        fc.nat(classes - 1),
      ),
      { minLength: 1, maxLength: 12 },
    );
    try {
      await fc.assert(
        fc.asyncProperty(rows, fc.constantFrom(...aims), async (drawn, aim) => {
          const points = Float32Array.from(drawn.flatMap(([logits]) => logits));
          const labels = Uint32Array.from(drawn, ([, label]) => label);
          const targets = Uint32Array.from(drawn, ([, , target]) => target);
          await expectAgreement(classifier, aim, points, labels, targets);
        }),
        { numRuns: 40 },
      );
    } finally {
      await classifier.close();
    }
  });

  const digitsCnn = () => readFileSync(path.join(__dirname, 'fixtures/digits-cnn.onnx'));
  it.each([
    ['a net of dense layers', () => networkOnnx(train(clouds(150, 'train'), 15)), [SIZE], 3, 0],
    ['a convolutional net', digitsCnn, [1, 8, 8], 10, 0],
    ['one with huge logits', digitsCnn, [1, 8, 8], 10, 100],
    ['one with tiny logits', digitsCnn, [1, 8, 8], 10, -20],
  ] as const)('through %s', async (_name, onnx, shape, classes, exponent) => {
    const classifier = await openClassifier(onnx(), shape, exponent);
    try {
      const n = 20;
      const stream = randomStream(5, 'points');
      const points = Float32Array.from(
        { length: n * shape.reduce((product: number, axis) => product * axis, 1) },
        () => stream.uniform(),
      );
      const labels = Uint32Array.from({ length: n }, (_, row) => row % classes);
      const targets = Uint32Array.from({ length: n }, (_, row) => (3 * row + 1) % classes);
      for (const aim of aims) {
        const sloping = await expectAgreement(classifier, aim, points, labels, targets);
        expect(sloping).toBeGreaterThan(n / 2);
      }
    } finally {
      await classifier.close();
    }
  });
});
