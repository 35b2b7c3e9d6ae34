import { attacks, type Classifier, openClassifier, type Samples } from '../../../src/core/attacks/index.js';
import { predictedClass } from '../../../src/core/attacks/predict.js';
import {
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Vector,
} from '../../../src/core/onnx/index.js';
import { add, multiply, scale } from '../../../src/core/onnx/operators/emit.js';
import { randomStream } from '../../../src/core/random/index.js';

const SIZE = 16;
const N = 12;

function modelOf(classes: number, write: (b: GraphBuilder, x: string) => string): Uint8Array {
  const b = graphBuilder(17);
  b.output('y', 'float', ['N', classes], write(b, b.input('x', 'float', ['N', SIZE])));
  return encodeModel(b.toModel());
}

/** Each value times noise of its own. */
const perSample = modelOf(SIZE, (b, x) =>
  multiply(b, x, b.op('RandomNormalLike', [x], { mean: attribute.float(1) })[0]),
);
/** All values of all samples times one number, drawn for the whole batch. */
const perBatch = modelOf(SIZE, (b, x) =>
  multiply(b, x, b.op('RandomUniform', [], { shape: attribute.ints([1, 1]) })[0]),
);

const stream = randomStream(1, 'expectation.test');
const inputs = Float32Array.from({ length: N * SIZE }, () => stream.uniform());
const row = (matrix: Float32Array, index: number): Float32Array =>
  matrix.slice(index * SIZE, (index + 1) * SIZE);

async function withClassifier<T>(
  onnx: Uint8Array,
  draws: number,
  use: (classifier: Classifier) => Promise<T>,
  seed = 7,
): Promise<T> {
  const classifier = await openClassifier(onnx, [SIZE], 0, { draws, seed });
  try {
    return await use(classifier);
  } finally {
    await classifier.close();
  }
}

describe('a randomised model as the mean of its draws', () => {
  it.each([
    ['for each sample', perSample],
    ['for a whole batch', perBatch],
  ])('answers alike whatever the batch and the order, with noise drawn %s', async (_, onnx) => {
    await withClassifier(onnx, 5, async (classifier) => {
      const together = await classifier.logits(inputs, N);
      for (const index of [N - 1, 0, 5]) {
        expect(await classifier.logits(row(inputs, index), 1)).toEqual(row(together, index));
      }
      const weights = new Float32Array(N * SIZE).fill(1);
      const gradients = await classifier.logitGradient(inputs, weights, N);
      expect(await classifier.logitGradient(row(inputs, 3), new Float32Array(SIZE).fill(1), 1)).toEqual(
        row(gradients, 3),
      );
    });
  });

  it('has the gradient of the very draws that its logits are the mean of', async () => {
    await withClassifier(perSample, 9, async (classifier) => {
      const logits = await classifier.logits(inputs, N);
      const gradients = await classifier.logitGradient(inputs, new Float32Array(N * SIZE).fill(1), N);
      for (const [i, value] of inputs.entries()) expect(gradients[i]! * value).toBeCloseTo(logits[i]!, 5);
    });
  });

  it('draws anew at every point and for every seed, and comes near the mean of the noise', async () => {
    const ones = new Float32Array(2 * SIZE).fill(1);
    ones[SIZE] = 0.5;
    const means = await withClassifier(perSample, 400, (classifier) => classifier.logits(ones, 2));
    const other = await withClassifier(perSample, 400, (classifier) => classifier.logits(ones, 2), 8);
    expect(row(means, 0).slice(1)).not.toEqual(row(means, 1).slice(1));
    expect(means).not.toEqual(other);
    // Standard deviation 1/20.
    for (const mean of means.slice(1, SIZE)) expect(Math.abs(mean - 1)).toBeLessThan(0.2);
  });

  it('draws the same at every point where points are to be compared', async () => {
    await withClassifier(perSample, 3, async ({ randomness }) => {
      const doubled = inputs.map((value) => 2 * value);
      const [one, two] = await Promise.all(
        [inputs, doubled].map((points) => randomness!.fixed.logits(points, N)),
      );
      for (const [i, value] of two!.entries()) expect(value).toBeCloseTo(2 * one![i]!, 5);
    });
  });

  it('has named draws even where there is no gradient', async () => {
    const noisy = modelOf(SIZE, (b, x) => {
      const [square] = b.op('Reshape', [x, b.constant(int64Vector([-1, 4, 4]), 'shape')]);
      const [determinant] = b.op('Det', [square]);
      const [column] = b.op('Unsqueeze', [determinant, b.constant(int64Vector([1]), 'axis')]);
      return add(b, column, b.op('RandomNormalLike', [x], {})[0]);
    });
    const answers = () =>
      withClassifier(noisy, 9, async (classifier) => {
        expect(classifier.gradientObstacle).toContain('Det');
        return classifier.logits(inputs, N);
      });
    const [once, again] = [await answers(), await answers()];
    expect(again).toEqual(once);
    expect(row(once, 0)).not.toEqual(row(once, 1));
  });

  /**
   * Two classes that a linear function tells apart, behind noise of no consequence for any answer, but whose slopes drown
   * those of the function eight to one: of one draw, signs of the gradient are hardly better than guesses.
   */
  const drowned = modelOf(2, (b, x) => {
    const waves = scale(b, b.op('Sin', [scale(b, x, 2000)])[0], 8 / 2000);
    const [noise] = b.op('RandomNormalLike', [x], {});
    const sum = (value: string): string =>
      b.op('ReduceSum', [value, b.constant(int64Vector([1]), 'axis')])[0];
    const score = add(b, sum(x), sum(multiply(b, noise, waves)));
    const [both] = b.op('Mul', [score, b.constant(floatTensor([1, 2], [1, -1]), 'signs')]);
    return both;
  });

  it('breaks by its mean where a single draw leads nowhere, and gives the same bytes in batches of any size', async () => {
    // Every value at 0.05, and class 0: right until the values fall below zero, by three quarters of the radius.
    const samples: Samples = {
      ids: Array.from({ length: N }, (_, i) => `s${i}`),
      inputs: new Float32Array(N * SIZE).fill(0.075),
      labels: new Uint32Array(N),
    };
    const threat = {
      norm: 'linf',
      epsilon: 0.1,
      minimum: new Float32Array(SIZE).fill(-1),
      maximum: new Float32Array(SIZE).fill(1),
    } as const;
    const options = { steps: 20, restarts: 1, stepSize: 0.0125 };
    const sums = async (draws: number, batchSize: number) =>
      withClassifier(drowned, draws, async (classifier) => {
        const { adversarial } = await attacks.pgd.run(classifier, samples, threat, options, {
          seed: 3,
          batchSize,
        });
        return adversarial;
      });
    const wrong = (adversarial: Float32Array): number =>
      samples.ids.filter((_, i) => {
        const total = row(adversarial, i).reduce((sum, value) => sum + value, 0);
        return predictedClass(Float32Array.of(total, -total), 2) !== 0;
      }).length;
    const [single, mean] = [await sums(1, 64), await sums(256, 64)];
    expect(wrong(single)).toBe(0);
    expect(wrong(mean)).toBe(N);
    expect(await sums(256, 5)).toEqual(mean);
  });
});
