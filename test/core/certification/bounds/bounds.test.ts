import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { bandAround } from '../../../../src/core/certification/bounds/activation.js';
import type { RuntimeArithmetic } from '../../../../src/core/certification/bounds/arithmetic.js';
import { ballAround, leastOver } from '../../../../src/core/certification/bounds/ball.js';
import { boundsOver } from '../../../../src/core/certification/bounds/bounds-over.js';
import { compileNetwork } from '../../../../src/core/certification/bounds/compile.js';
import { marginRows } from '../../../../src/core/certification/bounds/margins.js';
import type { Use } from '../../../../src/core/certification/bounds/operators/operator.js';
import { boundedOperatorOf } from '../../../../src/core/certification/bounds/operators/registry.js';
import { type CertifiableModel, crown, interval } from '../../../../src/core/certification/index.js';
import {
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  openSession,
} from '../../../../src/core/onnx/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import type { Norm } from '../../../../src/core/spec/index.js';
import { pointsOf } from './ball-points.js';

const norms: readonly Norm[] = ['linf', 'l2', 'l1'];

/** A network of one flat input as an ONNX file. */
function onnxOf(size: number, classes: number, write: (b: GraphBuilder, x: string) => string): Uint8Array {
  const b = graphBuilder(17);
  const out = write(b, b.input('x', 'float', ['N', size]));
  b.output('out', 'float', ['N', classes], out);
  return encodeModel(b.toModel());
}

const dense = (
  b: GraphBuilder,
  x: string,
  weights: readonly (readonly number[])[],
  bias: readonly number[],
): string =>
  b.op(
    'Gemm',
    [
      x,
      b.constant(floatTensor([weights.length, weights[0]!.length], weights.flat()), 'weights'),
      b.constant(floatTensor([bias.length], bias), 'bias'),
    ],
    { transB: attribute.int(1) },
  )[0];

async function certifiable(onnx: Uint8Array, size: number, classes: number, largest: number) {
  const session = await openSession(onnx, { place: 'inline' });
  const logits = async (inputs: Float32Array, n: number): Promise<Float32Array> =>
    (await session.run({ x: floatTensor([n, size], inputs) })).out!.data as Float32Array;
  const model: CertifiableModel = {
    onnx,
    shape: [size],
    classes,
    minimum: new Float32Array(size).fill(-largest),
    maximum: new Float32Array(size).fill(largest),
    logits,
  };
  return model;
}

interface Reference {
  readonly layers: readonly { readonly weights: number[][]; readonly bias: number[] }[];
  readonly centre: number[];
  readonly norm: Norm;
  readonly epsilon: number;
  readonly predicted: number;
  readonly interval: number[];
  readonly crown: number[];
}

describe('bounds', () => {
  it('are those that the papers give, less what rounding may take', async () => {
    const file = path.join(__dirname, 'fixtures', 'reference-bounds.json');
    for (const each of JSON.parse(readFileSync(file, 'utf8')) as readonly Reference[]) {
      const onnx = onnxOf(6, 3, (b, x) =>
        each.layers.reduce(
          (value, { weights, bias }, i) =>
            dense(b, i === 0 ? value : b.op('Relu', [value])[0], weights, bias),
          x,
        ),
      );
      const network = await compileNetwork(onnx, [6]);
      const range = { minimum: new Float32Array(6).fill(-9), maximum: new Float32Array(6).fill(9) };
      const ball = ballAround(Float32Array.from(each.centre), each.norm, each.epsilon, range);
      for (const method of ['interval', 'crown'] as const) {
        const margins = boundsOver(network, ball, method)(marginRows(3, each.predicted));
        each[method].forEach((expected, i) => {
          expect(margins[i]!).toBeLessThanOrEqual(expected + 1e-12);
          expect(margins[i]!).toBeGreaterThan(expected - 1e-4 * (1 + Math.abs(expected)));
        });
      }
    }
  });

  it('refuse what real arithmetic would certify and float32 breaks inside the ball', async () => {
    // (x + 2²⁴) − 2²⁴ is x, but in float32 it is a multiple of 2: at 0.9 it is 0, at 1.05 it is 2.
    const onnx = onnxOf(1, 2, (b, x) => {
      const [shifted] = b.op('Relu', [dense(b, x, [[1]], [2 ** 24])]);
      return dense(b, shifted, [[1], [0]], [-(2 ** 24), 1.5]);
    });
    const model = await certifiable(onnx, 1, 2, 2);
    const [sample, broken] = [Float32Array.of(0.9), Float32Array.of(1.05)];
    expect(Array.from(await model.logits(sample, 1))).toEqual([0, 1.5]);
    expect(Array.from(await model.logits(broken, 1))).toEqual([2, 1.5]);

    const network = await compileNetwork(onnx, [1]);
    const ball = ballAround(sample, 'linf', 0.2, model);
    const exactly: RuntimeArithmetic = { unit: 0, underflow: 0, largest: Number.MAX_VALUE };
    for (const method of [interval, crown]) {
      const ignorant = boundsOver(network, ball, method.name as 'crown', exactly)(marginRows(2, 1));
      expect(ignorant[0]).toBeGreaterThan(0.3);
      const certifier = await method.open(model, { norm: 'linf', epsilon: 0.2 });
      expect(await certifier.certify(sample, 'a')).toEqual({ predicted: 1, radius: 0 });
    }
  });

  it('allow for the rounding of their own float64, even of a runtime that makes none', async () => {
    // Exactly −1; from left to right in float64, 2⁶⁰ − 1 is 2⁶⁰ and the sum is 0.
    const slopes = [2 ** 60, -1, -(2 ** 60)];
    const range = { minimum: new Float32Array(3).fill(1), maximum: new Float32Array(3).fill(1) };
    const ball = ballAround(new Float32Array(3).fill(1), 'linf', 0, range);
    expect(leastOver(ball, Float64Array.from(slopes))).toBeLessThanOrEqual(-1);
    const onnx = onnxOf(3, 2, (b, x) =>
      dense(b, b.op('Relu', [dense(b, x, [slopes.map((a) => -a)], [0])])[0], [[1], [-1]], [0, 0]),
    );
    const network = await compileNetwork(onnx, [3]);
    const exactly: RuntimeArithmetic = { unit: 0, underflow: 0, largest: Number.MAX_VALUE };
    for (const method of ['interval', 'crown'] as const) {
      const [least] = boundsOver(network, ball, method, exactly)([Float64Array.of(0, 1)]);
      expect(least).toBeLessThanOrEqual(-1);
    }
  });

  it('certify nothing where the runtime could overflow', async () => {
    const huge = 3e38;
    const onnx = onnxOf(2, 2, (b, x) =>
      dense(
        b,
        x,
        [
          [huge, huge],
          [0, 0],
        ],
        [1, 0],
      ),
    );
    const model = await certifiable(onnx, 2, 2, 1);
    expect(await model.logits(Float32Array.of(0.6, 0.6), 1)).toEqual(
      Float32Array.of(Number.POSITIVE_INFINITY, 0),
    );
    for (const method of [interval, crown]) {
      const certifier = await method.open(model, { norm: 'linf', epsilon: 0.1 });
      expect(await certifier.certify(Float32Array.of(0.55, 0.55), 'a')).toEqual({ predicted: 0, radius: 0 });
    }
  });

  it('ask for more than a tie where the model answers with probabilities that rounding makes equal', async () => {
    const build = (withSoftmax: boolean, lead: number) =>
      onnxOf(1, 2, (b, x) => {
        const logits = dense(b, x, [[0], [0]], [lead, 0]);
        return withSoftmax ? b.op('Softmax', [logits])[0] : logits;
      });
    const radiusOf = async (onnx: Uint8Array): Promise<number> => {
      const certifier = await crown.open(await certifiable(onnx, 1, 2, 1), { norm: 'l2', epsilon: 0.5 });
      return (await certifier.certify(Float32Array.of(0.25), 'a')).radius;
    };
    expect(await radiusOf(build(false, 2 ** -26))).toBe(0.5);
    expect(await radiusOf(build(true, 2 ** -26))).toBe(0);
    expect(await radiusOf(build(true, 0.01))).toBe(0.5);
  });

  it('name the node that no bounds are known of', async () => {
    const onnx = onnxOf(2, 2, (b, x) => b.op('Mul', [x, b.op('Relu', [x])[0]])[0]);
    await expect(compileNetwork(onnx, [2])).rejects.toMatchObject({
      code: 'operator-unsupported',
      message: expect.stringMatching(/Mul.*constant/),
    });
    const erf = onnxOf(2, 2, (b, x) => b.op('Erf', [x])[0]);
    await expect(compileNetwork(erf, [2])).rejects.toMatchObject({
      code: 'operator-unsupported',
      message: expect.stringContaining('(Erf)'),
    });
  });
});

test('crown certifies whatever interval arithmetic does, and more', async () => {
  const stream = randomStream(4, 'dominance');
  const matrix = (rows: number, columns: number) =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => stream.normal() / 2));
  const [first, second, last] = [matrix(8, 5), matrix(8, 8), matrix(3, 8)];
  const onnx = onnxOf(5, 3, (b, x) => {
    const [hidden] = b.op('Relu', [dense(b, x, first, new Array(8).fill(0.1))]);
    return dense(b, b.op('Relu', [dense(b, hidden, second, new Array(8).fill(0))])[0], last, [0, 0, 0]);
  });
  const model = await certifiable(onnx, 5, 3, 1);
  const counts = { interval: 0, crown: 0 };
  for (const norm of norms) {
    const [one, other] = await Promise.all(
      [interval, crown].map((each) => each.open(model, { norm, epsilon: 0.04 })),
    );
    for (let i = 0; i < 30; i++) {
      const sample = Float32Array.from({ length: 5 }, () => 2 * stream.uniform() - 1);
      const [weak, strong] = [await one!.certify(sample, ''), await other!.certify(sample, '')];
      expect(strong.radius).toBeGreaterThanOrEqual(weak.radius);
      counts.interval += Number(weak.radius > 0);
      counts.crown += Number(strong.radius > 0);
    }
  }
  expect(counts.interval).toBeGreaterThan(0);
  expect(counts.crown).toBeGreaterThan(counts.interval);
});

test('the least of a linear function over a ball in the valid range is below every point of it, and reached by one', () => {
  const stream = randomStream(4, 'ball');
  for (const norm of norms) {
    for (let draw = 0; draw < 40; draw++) {
      const centre = Float32Array.from({ length: 4 }, () => stream.uniform());
      const range = { minimum: new Float32Array(4), maximum: new Float32Array(4).fill(1) };
      const ball = ballAround(centre, norm, 0.4, range);
      const slopes = Float64Array.from({ length: 4 }, () => stream.normal());
      const least = leastOver(ball, slopes);
      const valueAt = (point: ArrayLike<number>): number =>
        slopes.reduce((sum, a, i) => sum + a * point[i]!, 0);
      for (const point of pointsOf(ball, stream, 50)) expect(valueAt(point)).toBeGreaterThanOrEqual(least);
      expect(valueAt(leastPoint(ball, slopes)) - least).toBeLessThan(1e-3);
    }
  }
});

/** Where the function is least, by moving along its steepest values first or, in L2, until the budget is spent. */
function leastPoint(ball: ReturnType<typeof ballAround>, slopes: Float64Array): Float64Array {
  const { centre, epsilon, norm } = ball;
  const steepness = Array.from(slopes, (slope, i) => ({ slope: Math.abs(slope), i })).sort(
    (a, b) => b.slope - a.slope,
  );
  const room = (i: number): number => (slopes[i]! > 0 ? centre[i]! : 1 - centre[i]!);
  const move = new Float64Array(4);
  if (norm === 'linf') for (let i = 0; i < 4; i++) move[i] = Math.min(epsilon, room(i));
  if (norm === 'l1') {
    let rest = epsilon;
    for (const { i } of steepness) {
      move[i] = Math.min(rest, room(i));
      rest -= move[i]!;
    }
  }
  if (norm === 'l2') {
    for (let scale = 0, used = 0; scale < 50 && used < epsilon; scale += 1e-4) {
      for (let i = 0; i < 4; i++) move[i] = Math.min(room(i), scale * Math.abs(slopes[i]!));
      used = Math.hypot(...move);
    }
  }
  return Float64Array.from(centre, (value, i) => value - Math.sign(slopes[i]!) * move[i]!);
}

describe('linear bounds of a nonlinear function', () => {
  const settings = { float: -0.3, limits: [-0.3, 0.4] } as const;
  it.each(['Relu', 'LeakyRelu', 'PRelu', 'Clip', 'Sigmoid', 'Tanh'])(
    'of %s hold for any slope over any interval',
    (opType) => {
      const use = {
        has: () => true,
        isLive: (i: number) => i === 0,
        dims: () => [1],
        float: () => settings.float,
        constant: (i: number) => Float64Array.of(settings.limits[i - 1]!),
      } as unknown as Use;
      const [rule] = boundedOperatorOf(opType)!.bind(use);
      if (rule?.kind !== 'elementwise') throw new Error('expected an activation');
      const activation = rule.activationOf(0);
      const number = (most: number) => fc.integer({ min: -1000, max: 1000 }).map((n) => (most * n) / 1000);
      fc.assert(
        fc.property(number(12), number(12), number(1.5), (one, other, slope) => {
          const [l, u] = [Math.min(one, other), Math.max(one, other)];
          fc.pre(l < u);
          const own = activation.slopes(l, u);
          for (const k of [0, slope, own.lower, own.upper]) {
            const { lower, upper } = bandAround(activation, k, l, u);
            for (let i = 0; i <= 100; i++) {
              const v = Math.min(u, l + ((u - l) * i) / 100);
              const offset = activation.value(v) - k * v;
              const holds = offset >= lower - 1e-14 && offset <= upper + 1e-14;
              if (!holds) throw new Error(`f(${v}) − ${k}·${v} is ${offset}, not in [${lower}, ${upper}]`);
            }
          }
        }),
        { numRuns: 100, seed: 9 },
      );
    },
  );
});
