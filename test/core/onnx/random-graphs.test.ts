import fc from 'fast-check';
import {
  attribute,
  differentiableOperators,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Tensor,
  int64Vector,
  openSession,
  type Tensor,
} from '../../../src/core/onnx/index.js';
import { inferFacts } from '../../../src/core/onnx/infer-facts.js';

/** One choice of an operator, of what it is applied to, and of its settings; each is taken modulo what there is. */
interface Step {
  readonly kind: number;
  readonly operand: number;
  readonly other: number;
  readonly setting: number;
}

interface Recipe {
  readonly opset: number;
  readonly shapes: readonly (readonly number[])[];
  readonly steps: readonly Step[];
}

/** A value in a graph of fixed shapes. */
interface Value {
  readonly name: string;
  readonly dims: readonly number[];
}

/** What a step may write: the node or nodes, or nothing where the operator does not fit the operands. */
type Writer = (b: GraphBuilder, x: Value, y: Value, setting: number) => readonly string[];

const numbers = (count: number, phase: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.round(64 * Math.sin(1.7 * i + phase)) / 64);
const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const ints = (b: GraphBuilder, values: readonly number[]): string => b.constant(int64Vector(values), 'ints');
const weights = (b: GraphBuilder, dims: readonly number[], phase: number): string =>
  b.constant(floatTensor(dims, numbers(count(dims), phase)), 'weights');
const order = (rank: number, setting: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => (i + setting) % rank);

const unary =
  (opType: string): Writer =>
  (b, x) =>
    b.op(opType, [x.name]);

const fits = (x: Value, y: Value): boolean => {
  const rank = Math.max(x.dims.length, y.dims.length);
  return Array.from({ length: rank }, (_, i) => [x.dims.at(-1 - i) ?? 1, y.dims.at(-1 - i) ?? 1]).every(
    ([a, c]) => a === c || a === 1 || c === 1,
  );
};

const binary =
  (opType: string): Writer =>
  (b, x, y) =>
    fits(x, y) ? b.op(opType, [x.name, y.name]) : [];

/** An operator along one axis. */
const along =
  (write: (b: GraphBuilder, x: Value, axis: number, setting: number) => readonly string[]): Writer =>
  (b, x, _, setting) =>
    x.dims.length === 0 ? [] : write(b, x, setting % x.dims.length, setting);

const reduction =
  (opType: string, since: number): Writer =>
  (b, x, _, setting) => {
    if (x.dims.length === 0) return [];
    const axes = [setting % x.dims.length];
    const keepdims = attribute.int(setting % 2);
    return b.opset >= since
      ? b.op(opType, [x.name, ints(b, axes)], { keepdims })
      : b.op(opType, [x.name], { keepdims, axes: attribute.ints(axes) });
  };

/** Smooth operators alone: finite differences say nothing at kinks. */
const writers: Readonly<Record<string, Writer>> = {
  ...Object.fromEntries(
    ['Atan', 'Cos', 'Erf', 'Identity', 'Neg', 'Sigmoid', 'Sin', 'Softplus', 'Softsign', 'Tanh'].map(
      (opType) => [opType, unary(opType)],
    ),
  ),
  Add: binary('Add'),
  Mul: binary('Mul'),
  Sub: binary('Sub'),
  /** By something that is at least 1. */
  Div: (b, x, y) => {
    if (!fits(x, y)) return [];
    const [square] = b.op('Mul', [y.name, y.name]);
    return b.op('Div', [x.name, b.op('Add', [square, b.constant(floatTensor([], [1]), 'one')])[0]]);
  },
  Exp: (b, x) => b.op('Exp', b.op('Tanh', [x.name])),
  ReduceLogSumExp: reduction('ReduceLogSumExp', 18),
  ReduceMean: reduction('ReduceMean', 18),
  ReduceSum: reduction('ReduceSum', 13),
  ReduceSumSquare: reduction('ReduceSumSquare', 18),
  Softmax: along((b, x, axis) =>
    b.opset < 13 ? [] : b.op('Softmax', [x.name], { axis: attribute.int(axis) }),
  ),
  LogSoftmax: along((b, x, axis) => b.op('LogSoftmax', [x.name], { axis: attribute.int(axis) })),
  CumSum: along((b, x, axis, setting) =>
    b.op('CumSum', [x.name, b.constant(int64Tensor([], [axis]), 'axis')], {
      reverse: attribute.int(setting % 2),
      exclusive: attribute.int((setting >> 1) % 2),
    }),
  ),
  Concat: (b, x, y, setting) => {
    const axis = setting % Math.max(1, x.dims.length);
    const equalElsewhere =
      x.dims.length > 0 &&
      x.dims.length === y.dims.length &&
      x.dims.every((length, i) => i === axis || length === y.dims[i]);
    return equalElsewhere ? b.op('Concat', [x.name, y.name, x.name], { axis: attribute.int(axis) }) : [];
  },
  Einsum: (b, x, y, setting) => {
    if (b.opset < 12 || x.dims.length !== 2 || y.dims.length !== 2) return [];
    const result = ['ijkl', 'ki', 'lj', 'ij', 'l', ''][setting % 6]!;
    return b.op('Einsum', [x.name, y.name], { equation: attribute.string(`ij,kl->${result}`) });
  },
  Expand: (b, x) => b.op('Expand', [x.name, ints(b, [2, ...x.dims.map((length) => (length === 1 ? 3 : 1))])]),
  Flatten: (b, x, _, setting) =>
    b.op('Flatten', [x.name], { axis: attribute.int(setting % (x.dims.length + 1)) }),
  Gather: along((b, x, axis, setting) => {
    const last = x.dims[axis]! - 1;
    const indices = setting % 2 ? int64Tensor([2, 2], [0, last, -1, 0]) : int64Tensor([], [last]);
    return b.op('Gather', [x.name, b.constant(indices, 'indices')], { axis: attribute.int(axis) });
  }),
  MatMul: (b, x, _, setting) =>
    x.dims.length < 2
      ? []
      : b.op('MatMul', [x.name, weights(b, [x.dims.at(-1)!, 1 + (setting % 3)], setting)]),
  Gemm: (b, x, _, setting) => {
    if (x.dims.length !== 2) return [];
    const inner = x.dims[setting % 2 ? 0 : 1]!;
    return b.op('Gemm', [x.name, weights(b, [inner, 2], setting), weights(b, [2], 1)], {
      transA: attribute.int(setting % 2),
      alpha: attribute.float(0.5),
    });
  },
  Conv: (b, x, _, setting) => {
    if (x.dims.length !== 3 || x.dims[2]! < 2) return [];
    const strides = attribute.ints([1 + (setting % 2)]);
    const pads = attribute.ints([setting % 2, 1]);
    return b.op('Conv', [x.name, weights(b, [2, x.dims[1]!, 2], setting)], { strides, pads });
  },
  LayerNormalization: (b, x, _, setting) =>
    b.opset < 17 || x.dims.length === 0 || x.dims.at(-1)! < 2
      ? []
      : b.op('LayerNormalization', [x.name, weights(b, [x.dims.at(-1)!], setting)], {
          epsilon: attribute.float(0.5),
        }),
  Pad: (b, x, _, setting) => {
    if (x.dims.length === 0) return [];
    const pads = x.dims.flatMap((_, i) => [(setting >> i) % 2]);
    return b.op('Pad', [x.name, ints(b, [...pads, ...pads.map(() => 1)])]);
  },
  Reshape: (b, x) => b.op('Reshape', [x.name, ints(b, [-1, 1])]),
  Slice: along((b, x, axis, setting) => {
    const isBackward = setting % 2 === 1;
    const [start, end, step] = isBackward ? [-1, -100, -1] : [x.dims[axis]! > 1 ? 1 : 0, 100, 1];
    return b.op('Slice', [x.name, ints(b, [start]), ints(b, [end]), ints(b, [axis]), ints(b, [step])]);
  }),
  Split: along((b, x, axis) =>
    x.dims[axis]! % 2 === 0 && b.opset < 18 ? b.op('Split', [x.name], { axis: attribute.int(axis) }, 2) : [],
  ),
  Tile: (b, x, _, setting) =>
    x.dims.length === 0
      ? []
      : b.op('Tile', [
          x.name,
          ints(
            b,
            x.dims.map((_, i) => 1 + ((setting >> i) % 2)),
          ),
        ]),
  Transpose: (b, x, _, setting) =>
    b.op('Transpose', [x.name], { perm: attribute.ints(order(x.dims.length, setting)) }),
  Unsqueeze: (b, x, _, setting) => {
    const axes = [setting % (x.dims.length + 1)];
    return b.opset >= 13
      ? b.op('Unsqueeze', [x.name, ints(b, axes)])
      : b.op('Unsqueeze', [x.name], { axes: attribute.ints(axes) });
  },
};

const kinds = Object.keys(writers);
const maxCount = 64;

interface Built {
  readonly b: GraphBuilder;
  readonly inputs: readonly Value[];
  /** All values that steps wrote. */
  readonly values: readonly Value[];
  readonly loss: string;
}

function build({ opset, shapes, steps }: Recipe): Built {
  const b = graphBuilder(opset);
  const inputs = shapes.map((dims, i) => ({ name: b.input(`x${i}`, 'float', dims), dims }));
  const pool: Value[] = [...inputs];
  for (const { kind, operand, other, setting } of steps) {
    // The last value or an early one, so that graphs are neither chains nor bushes.
    const x = pool.at(operand % 3 === 0 ? operand % pool.length : -1)!;
    const written = writers[kinds[kind % kinds.length]!]!(b, x, pool[other % pool.length]!, setting);
    const facts = inferFacts(b.build(), opset);
    for (const name of written) {
      const dims = facts.get(name)!.dims.map(Number);
      if (count(dims) <= maxCount) pool.push({ name, dims });
    }
  }
  const terms = pool.map(({ name, dims }, i) => {
    // Through a squashing function the loss stays small, and rounding with it.
    const [product] = b.op('Mul', [b.op('Tanh', [name])[0], weights(b, dims, i)]);
    return b.op('ReduceSum', [b.op('Reshape', [product, ints(b, [-1])])[0]], {
      keepdims: attribute.int(0),
    })[0];
  });
  return { b, inputs, values: pool.slice(inputs.length), loss: b.op('Sum', terms)[0] };
}

const lengths = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });
const nat = fc.nat(1000);
const recipes: fc.Arbitrary<Recipe> = fc.record({
  opset: fc.constantFrom(11, 13, 17, 21),
  shapes: fc.array(lengths, { minLength: 1, maxLength: 3 }),
  steps: fc.array(fc.record({ kind: nat, operand: nat, other: nat, setting: nat }), {
    minLength: 1,
    maxLength: 10,
  }),
});

/** A fourth-order difference quotient of a function of one number at 0, with smaller steps for a steeper one. */
async function slope(f: (t: number) => Promise<number>, steepness: number): Promise<number> {
  const h = 2 ** -7 / Math.max(1, steepness);
  const quotient = async (step: number): Promise<number> => ((await f(step)) - (await f(-step))) / (2 * step);
  return (4 * (await quotient(h)) - (await quotient(2 * h))) / 3;
}

test('gradients of random graphs are slopes of their losses, and their shapes are those that ONNX Runtime gives', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const { b, inputs, values, loss } = build(recipe);
      for (const { opType } of b.build().nodes) seen.add(opType);
      const wrt = inputs.map(({ name }) => name);
      const gradients = differentiate(b, loss, wrt);
      b.output('loss', 'float', [], loss);
      for (const { name, dims } of inputs) b.output(`d${name}`, 'float', dims, gradients[name]);
      // No shape is declared: the results have those that ONNX Runtime finds.
      for (const { name, dims } of values)
        b.output(
          `out/${name}`,
          'float',
          dims.map(() => ''),
          name,
        );
      const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
      const points = inputs.map(({ dims }, i) => numbers(count(dims), 5 * i + 1));
      const feeds = (step: number, i: number, j: number): Record<string, Tensor> =>
        Object.fromEntries(
          inputs.map(({ name, dims }, k) => [
            name,
            floatTensor(
              dims,
              points[k]!.map((value, l) => (k === i && l === j ? value + step : value)),
            ),
          ]),
        );
      const results = await session.run(feeds(0, 0, 0));
      for (const { name, dims } of values) expect([name, results[`out/${name}`]!.dims]).toEqual([name, dims]);
      for (const [i, { name, dims }] of inputs.entries()) {
        const gradient = results[`d${name}`]!;
        expect(gradient.dims).toEqual(dims);
        for (let j = 0; j < count(dims); j++) {
          const actual = Number(gradient.data[j]);
          const loss = async (t: number): Promise<number> =>
            Number((await session.run(feeds(t, i, j))).loss!.data[0]);
          const expected = await slope(loss, Math.abs(actual));
          expect(Math.abs(actual - expected)).toBeLessThan(4e-3 * Math.max(1, Math.abs(expected)));
        }
      }
      await session.close();
    }),
    { numRuns: 150, seed: 20240917 },
  );
  expect(kinds.filter((kind) => !seen.has(kind))).toEqual([]);
  expect(kinds.filter((kind) => !differentiableOperators.includes(kind))).toEqual([]);
});
