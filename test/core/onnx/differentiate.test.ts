import fc from 'fast-check';
import { RefusedError } from '../../../src/core/errors/index.js';
import {
  attribute,
  decodeModel,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Tensor,
  int64Vector,
  lossGradientModel,
  type Model,
  openSession,
  type Results,
} from '../../../src/core/onnx/index.js';
import { randomStream } from '../../../src/core/random/index.js';

const normal = (seed: number, count: number, deviation = 1): Float32Array => {
  const stream = randomStream(seed, 'test');
  return Float32Array.from({ length: count }, () => stream.normal() * deviation);
};

/** Random weights, small enough to keep activations out of saturation. */
const weights = (b: GraphBuilder, seed: number, ...dims: number[]): string => {
  const fanIn = dims.slice(1).reduce((x, y) => x * y, 1);
  const count = dims.reduce((x, y) => x * y, 1);
  return b.constant(floatTensor(dims, normal(seed, count, 1 / Math.sqrt(fanIn))), 'w');
};

const classifier = (
  sample: readonly number[],
  classes: number,
  body: (b: GraphBuilder, x: string) => string,
  opset = 17,
): Model => {
  const b = graphBuilder(opset);
  const x = b.input('image', 'float', ['batch', ...sample]);
  b.output('scores', 'float', ['batch', classes], body(b, x));
  return b.toModel();
};

const run = async (model: Model, x: Float32Array, shape: readonly number[], labels: readonly number[]) => {
  const session = await openSession(encodeModel(model), { place: 'inline' });
  const feeds = {
    input: floatTensor([labels.length, ...shape], x),
    labels: int64Tensor([labels.length], labels),
  };
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
};

const numbers = (results: Results, name: string): number[] => Array.from(results[name]!.data, Number);

/** Convolutions, ties in pooling, a residual connection and a dense head: 1×8×8 → 10. */
const convolutional = (): Model =>
  classifier([1, 8, 8], 10, (b, x) => {
    const [a] = b.op(
      'Relu',
      b.op('Conv', [x, weights(b, 1, 4, 1, 3, 3)], { pads: attribute.ints([1, 1, 1, 1]) }),
    );
    const [c] = b.op('Conv', [a, weights(b, 2, 4, 4, 3, 3)], { pads: attribute.ints([1, 1, 1, 1]) });
    const [sum] = b.op('Add', [a, c]);
    const [pooled] = b.op('MaxPool', [sum], {
      kernel_shape: attribute.ints([3, 3]),
      strides: attribute.ints([2, 2]),
    });
    const [flat] = b.op('Flatten', [pooled]);
    return b.op('Gemm', [flat, weights(b, 3, 10, 36)], { transB: attribute.int(1) })[0];
  });

describe('gradients of composed graphs', () => {
  type Layer = (b: GraphBuilder, x: string, seed: number) => string;
  // Smooth layers on [N, 2, 4, 4] only: finite differences in float32 are blunt at kinks.
  const layers: Readonly<Record<string, Layer>> = {
    conv: (b, x, seed) =>
      b.op('Conv', [x, weights(b, seed, 2, 2, 3, 3)], { pads: attribute.ints([1, 1, 1, 1]) })[0],
    tanh: (b, x) => b.op('Tanh', [x])[0],
    sigmoid: (b, x) => b.op('Sigmoid', [x])[0],
    residual: (b, x) => b.op('Add', [x, b.op('Tanh', [x])[0]])[0],
    gate: (b, x) => b.op('Mul', [x, b.op('Sigmoid', [x])[0]])[0],
    softmax: (b, x) => b.op('Softmax', [x], { axis: attribute.int(1) })[0],
    average: (b, x) =>
      b.op('AveragePool', [x], {
        kernel_shape: attribute.ints([3, 3]),
        pads: attribute.ints([1, 1, 1, 1]),
      })[0],
    exchange: (b, x) => b.op('Transpose', [x], { perm: attribute.ints([0, 1, 3, 2]) })[0],
    halves: (b, x) => {
      const [first, second] = b.op('Split', [x], { axis: attribute.int(1) }, 2);
      return b.op('Concat', [second, b.op('Exp', [b.op('Neg', [first])[0]])[0]], {
        axis: attribute.int(1),
      })[0];
    },
  };

  test('agree with finite differences on random smooth graphs', async () => {
    const size = 32;
    const epsilon = 1e-2;
    const names = fc.array(fc.constantFrom(...Object.keys(layers)), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(names, fc.nat(1000), async (stack, seed) => {
        const model = lossGradientModel(
          classifier([2, 4, 4], 3, (b, x) => {
            const features = stack.reduce((value, name, i) => layers[name]!(b, value, seed + i), x);
            return b.op('MatMul', [b.op('Flatten', [features])[0], weights(b, seed + 99, size, 3)])[0];
          }),
        );
        const x = normal(seed, size);
        // The sample itself, then both sides of each of its values, near and twice as far, in one batch.
        const steps = [epsilon, -epsilon, 2 * epsilon, -2 * epsilon];
        const rows = 1 + steps.length * size;
        const batch = new Float32Array(size * rows);
        for (let row = 0; row < rows; row++) batch.set(x, row * size);
        steps.forEach((step, side) => {
          for (let i = 0; i < size; i++) batch[(1 + side * size + i) * size + i]! += step;
        });
        const labels = Array.from({ length: rows }, () => seed % 3);
        const results = await run(model, batch, [2, 4, 4], labels);
        const loss = numbers(results, 'loss');
        const gradient = numbers(results, 'gradient').slice(0, size);
        const length = Math.hypot(...gradient);
        const slope = (i: number, near: number): number =>
          (loss[1 + near * size + i]! - loss[1 + (near + 1) * size + i]!) / (steps[near]! - steps[near + 1]!);
        // Richardson's extrapolation takes the curvature's share out of the difference.
        const difference = gradient.map((g, i) => g - (4 * slope(i, 0) - slope(i, 2)) / 3);
        const rounding = (Math.sqrt(size) * 8 * 2 ** -24 * Math.max(...loss)) / epsilon;
        expect(Math.hypot(...difference)).toBeLessThan(5e-3 * length + 1e-4 + rounding);
      }),
      { numRuns: 25 },
    );
  });

  test('of one sample are the same bits alone and in a batch of 64', async () => {
    const model = lossGradientModel(convolutional());
    const size = 64;
    const x = normal(5, 64 * size).map((value) => Math.round(value));
    const labels = Array.from({ length: 64 }, (_, i) => i % 10);
    const together = await run(model, x, [1, 8, 8], labels);
    for (const i of [0, 17, 63]) {
      const alone = await run(model, x.slice(i * size, (i + 1) * size), [1, 8, 8], [labels[i]!]);
      for (const [name, width] of [
        ['loss', 1],
        ['gradient', size],
        ['logits', 10],
      ] as const) {
        expect(numbers(together, name).slice(i * width, (i + 1) * width)).toEqual(numbers(alone, name));
      }
    }
  });

  test('do not depend on the operator set that the model is written in', async () => {
    const gradients = [];
    for (const opset of [11, 13, 16, 18, 22]) {
      const model = classifier(
        [1, 6, 6],
        3,
        (b, x) => {
          const [a] = b.op('LeakyRelu', b.op('Conv', [x, weights(b, 1, 2, 1, 3, 3)]));
          const [pooled] = b.op('MaxPool', [a], {
            kernel_shape: attribute.ints([2, 2]),
            strides: attribute.ints([2, 2]),
          });
          return b.op('Gemm', [b.op('Flatten', [pooled])[0], weights(b, 2, 8, 3), weights(b, 3, 3)])[0];
        },
        opset,
      );
      const results = await run(lossGradientModel(model), normal(8, 72), [1, 6, 6], [0, 2]);
      gradients.push(numbers(results, 'gradient'));
    }
    for (const gradient of gradients) expect(gradient).toEqual(gradients[0]);
    expect(Math.hypot(...gradients[0]!)).toBeGreaterThan(0.1);
  });

  test('of a value used twice add up, and of a constant can be asked for too', async () => {
    const b = graphBuilder(17);
    b.input('x', 'float', ['N']);
    const w = b.constant(floatTensor([], [3]), 'w');
    const [square] = b.op('Mul', ['x', 'x']);
    const [loss] = b.op('Mul', [b.op('Add', [square, 'x'])[0], w]);
    const gradients = differentiate(b, loss, ['x', w]);
    b.output('dx', 'float', ['N'], gradients.x);
    b.output('dw', 'float', [], gradients[w]);
    const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
    const results = await session.run({ x: floatTensor([2], [1, 2]) });
    expect(numbers(results, 'dx')).toEqual([9, 15]);
    expect(numbers(results, 'dw')).toEqual([8]);
    await session.close();
  });

  test('pass a reshape whose target is computed from the batch, as PyTorch exports it', async () => {
    const model = classifier([2, 3], 2, (b, x) => {
      const zero = b.constant(int64Tensor([], [0]), 'zero');
      const [n] = b.op('Gather', [b.op('Shape', [x])[0], zero]);
      const [axis] = b.op('Unsqueeze', [n, b.constant(int64Vector([0]), 'axes')]);
      const rest = b.constant(int64Vector([-1]), 'rest');
      const [shape] = b.op('Concat', [axis, rest], { axis: attribute.int(0) });
      return b.op('MatMul', [b.op('Reshape', [x, shape])[0], weights(b, 1, 6, 2)])[0];
    });
    const results = await run(lossGradientModel(model), normal(1, 12), [2, 3], [0, 1]);
    expect(results.gradient).toMatchObject({ dims: [2, 2, 3] });
  });
});

describe('a loss-gradient model', () => {
  const linear = (b: GraphBuilder, x: string): string => b.op('MatMul', [x, weights(b, 7, 4, 3)])[0];

  test('survives its file, and gives the cross-entropy of each sample', async () => {
    const model = decodeModel(encodeModel(lossGradientModel(classifier([4], 3, linear))));
    const results = await run(model, normal(2, 8), [4], [2, 0]);
    const logits = numbers(results, 'logits');
    const expected = [2, 0].map((label, i) => {
      const row = logits.slice(i * 3, i * 3 + 3);
      return Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label]!;
    });
    for (const [i, loss] of numbers(results, 'loss').entries()) expect(loss).toBeCloseTo(expected[i]!, 5);
  });

  test('looks through a final softmax, which would hide the gradient once it saturates', async () => {
    const saturated = (b: GraphBuilder, x: string): string => {
      const [large] = b.op('Mul', [linear(b, x), b.constant(floatTensor([], [1000]), 'factor')]);
      return b.op('Softmax', [large], { axis: attribute.int(1) })[0];
    };
    const model = lossGradientModel(classifier([4], 3, saturated));
    const results = await run(model, normal(3, 4), [4], [0]);
    const logits = numbers(results, 'logits');
    const wrong = logits.indexOf(Math.max(...logits)) === 0 ? 1 : 0;
    const attacked = await run(model, normal(3, 4), [4], [wrong]);
    expect(Math.hypot(...numbers(attacked, 'gradient'))).toBeGreaterThan(1);
  });

  test('keeps finite where probabilities underflow', async () => {
    const huge = (b: GraphBuilder, x: string): string =>
      b.op('Mul', [linear(b, x), b.constant(floatTensor([], [1e30]), 'factor')])[0];
    const results = await run(lossGradientModel(classifier([4], 3, huge)), normal(3, 4), [4], [0]);
    expect(numbers(results, 'loss').concat(numbers(results, 'gradient')).every(Number.isFinite)).toBe(true);
  });

  test('gives no number for a label that is no class', async () => {
    const model = lossGradientModel(classifier([4], 3, linear));
    expect(numbers(await run(model, normal(2, 8), [4], [3, -1]), 'loss')).toEqual([Number.NaN, Number.NaN]);
  });

  // Their true gradient is zero: the gate's own controls tell that from robustness.
  test.each<[string, (b: GraphBuilder, x: string) => string]>([
    ['quantised by rounding', (b, x) => b.op('Round', [x])[0]],
    [
      'turned black and white',
      (b, x) => {
        const [white] = b.op('Greater', [x, b.constant(floatTensor([], [0]), 'threshold')]);
        return b.op('Cast', [white], { to: attribute.int(1) })[0];
      },
    ],
  ])('gives a gradient of zeros where the whole input is %s', async (_, quantise) => {
    const model = lossGradientModel(classifier([4], 3, (b, x) => linear(b, quantise(b, x))));
    const results = await run(model, normal(2, 8), [4], [2, 0]);
    expect(results.gradient).toMatchObject({ dims: [2, 4], data: new Float32Array(8) });
    expect(numbers(results, 'loss').every((loss) => loss > 0)).toBe(true);
  });

  test('gives the gradient of the other path where one path is rounded', async () => {
    const b = graphBuilder(17);
    const x = b.input('x', 'float', ['N']);
    const [loss] = b.op('Mul', [x, b.op('Floor', [x])[0]]);
    b.output('dx', 'float', ['N'], differentiate(b, loss, ['x']).x);
    const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
    expect(numbers(await session.run({ x: floatTensor([2], [1.5, -2.5]) }), 'dx')).toEqual([1, -3]);
    await session.close();
  });

  test.each([
    ['half precision', 10, 2e-3],
    ['double precision', 11, 1e-6],
  ])('passes through layers of %s, in float32', async (_, type, tolerance) => {
    type Cast = (b: GraphBuilder, value: string, number: number) => string;
    const to: Cast = (b, value, number) => b.op('Cast', [value], { to: attribute.int(number) })[0];
    const model = (cast: Cast): Model =>
      classifier([1, 6, 6], 3, (b, x) => {
        const dense = (value: string, seed: number, ...dims: number[]): string =>
          b.op('Gemm', [value, cast(b, weights(b, seed, ...dims), type)], { transB: attribute.int(1) })[0];
        const hidden = dense(b.op('Flatten', [cast(b, x, type)])[0], 1, 8, 36);
        const factor = cast(b, b.constant(floatTensor([], [0.5]), 'factor'), type);
        const scores = dense(b.op('Tanh', [b.op('Mul', [hidden, factor])[0]])[0], 2, 3, 8);
        return cast(b, scores, 1);
      });
    const x = normal(3, 2 * 36);
    const gradientOf = async (each: Model): Promise<number[]> =>
      numbers(await run(lossGradientModel(each), x, [1, 6, 6], [0, 2]), 'gradient');
    const expected = await gradientOf(model((_b, value) => value));
    const gradient = await gradientOf(model(to));
    const difference = Math.hypot(...gradient.map((value, i) => value - expected[i]!));
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(tolerance * Math.hypot(...expected));
  });

  test.each<[string, () => Model, RegExp]>([
    [
      'a classifier that looks at the shape of its input alone',
      () =>
        classifier([4], 3, (b, x) => {
          const [shape] = b.op('Shape', [x]);
          const [zeros] = b.op('ConstantOfShape', [shape]);
          return linear(b, zeros);
        }),
      /has no gradient with respect to input/,
    ],
    [
      'an operator without a derivative, by its node',
      () => classifier([4], 3, (b, x) => linear(b, b.op('Det', [x])[0])),
      /node Det \(Det\): the operator is not supported/,
    ],
    [
      'a cast to integers, behind which every gradient is zero',
      () =>
        classifier([4], 3, (b, x) => {
          const [rounded] = b.op('Cast', [x], { to: attribute.int(6) });
          return linear(b, b.op('Cast', [rounded], { to: attribute.int(1) })[0]);
        }),
      /node Cast \(Cast\): gradients pass through floating-point numbers only/,
    ],
    [
      'a classifier that does not look at its input',
      () => {
        const b = graphBuilder(17);
        b.input('x', 'float', [1, 4]);
        b.output('y', 'float', [1, 3], b.constant(floatTensor([1, 3], [1, 2, 3]), 'fixed'));
        return b.toModel();
      },
      /has no gradient with respect to input/,
    ],
    [
      'outputs that are no logits',
      () => {
        const b = graphBuilder(17);
        b.input('x', 'float', ['N', 4]);
        b.output(
          'y',
          'float',
          ['N', 2, 2],
          b.op('Reshape', ['x', b.constant(int64Vector([0, 2, 2]), 's')])[0],
        );
        return b.toModel();
      },
      /output y: expected shape \[N, classes\], got \[N, 2, 2\]/,
    ],
    [
      'shapes that would ask for terabytes',
      () => {
        const b = graphBuilder(17);
        const x = b.input('x', 'float', ['N', 2 ** 20, 2 ** 20]);
        const [last, end] = [-1, 2 ** 40].map((each) => b.constant(int64Vector([each]), 'bound'));
        b.output('y', 'float', ['N'], b.op('Slice', [x, last!, end!, last!])[0]);
        return b.toModel();
      },
      /input input: expected a shape of at most 2³¹−1 elements/,
    ],
    [
      'windows that do not move',
      () =>
        classifier([1, 4, 4], 3, (b, x) => {
          const attributes = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([0, 1]) };
          return b.op('Flatten', b.op('AveragePool', [x], attributes))[0];
        }),
      /node AveragePool \(AveragePool\): expected 2 positive kernel lengths, strides and dilations, got \[0,1\]/,
    ],
    [
      'operator sets of another age',
      () => classifier([4], 3, linear, 9),
      /expected operator set 11 to 22, got 9/,
    ],
  ])('refuses %s', (_, model, expected) => {
    let refusal: unknown;
    try {
      lossGradientModel(model());
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(RefusedError);
    expect(refusal).toMatchObject({
      code: 'operator-unsupported',
      message: expect.stringMatching(expected),
    });
  });
});
