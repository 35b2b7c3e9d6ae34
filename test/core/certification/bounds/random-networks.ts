import fc from 'fast-check';
import {
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Tensor,
  int64Vector,
  type Node,
} from '../../../../src/core/onnx/index.js';

/** One choice of an operator, of what it is applied to, and of its settings; each is taken modulo what there is. */
interface Choice {
  readonly kind: number;
  readonly operand: number;
  readonly other: number;
  readonly setting: number;
}

export interface Recipe {
  readonly shape: readonly number[];
  readonly choices: readonly Choice[];
}

interface Value {
  readonly name: string;
  readonly dims: readonly number[];
}

/** What a choice may write: values, or none where the operator does not fit. */
type Writer = (b: GraphBuilder, x: Value, y: Value, setting: number) => readonly Value[];

const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const numbers = (n: number, phase: number): number[] =>
  Array.from({ length: n }, (_, i) => Math.sin(1.7 * i + phase));
const weights = (b: GraphBuilder, dims: readonly number[], phase: number): string =>
  b.constant(floatTensor(dims, numbers(count(dims), phase)), 'weights');
const positive = (b: GraphBuilder, dims: readonly number[], phase: number): string =>
  b.constant(
    floatTensor(
      dims,
      numbers(count(dims), phase).map((value) => 1.5 + value),
    ),
    'positive',
  );
const ints = (b: GraphBuilder, values: readonly number[]): string => b.constant(int64Vector(values), 'ints');
const scalar = (b: GraphBuilder, value: number): string => b.constant(floatTensor([], [value]), 'scalar');

const written = (names: readonly string[], dims: readonly number[]): readonly Value[] => [
  { name: names[0]!, dims },
];
const isImage = ({ dims }: Value): boolean => dims.length === 4 && dims[2]! >= 2 && dims[3]! >= 2;

const elementwise =
  (opType: string, attributes = {}): Writer =>
  (b, x) =>
    written(b.op(opType, [x.name], attributes), x.dims);

/** With a constant of a shape that broadcasts, on either side. */
const withConstant =
  (opType: string, isLeftToo: boolean): Writer =>
  (b, x, _, setting) => {
    const dims = setting % 3 === 0 ? [] : x.dims.slice(-1);
    const constant = opType === 'Div' ? positive(b, dims, setting) : weights(b, dims, setting);
    const operands = isLeftToo && setting % 2 ? [constant, x.name] : [x.name, constant];
    return written(b.op(opType, operands), x.dims);
  };

const both =
  (opType: string): Writer =>
  (b, x, y) =>
    x.dims.join() === y.dims.join() ? written(b.op(opType, [x.name, y.name]), x.dims) : [];

const pool =
  (opType: string, attributes = {}): Writer =>
  (b, x, _, setting) => {
    if (!isImage(x)) return [];
    const stride = 1 + (setting % 2);
    const pads = setting % 3 === 1 ? [1, 0, 0, 1] : [0, 0, 0, 0];
    const dims = x.dims.slice(2).map((length) => Math.floor((length + (pads[0] ?? 0) - 2) / stride) + 1);
    return written(
      b.op(opType, [x.name], {
        ...attributes,
        kernel_shape: attribute.ints([2, 2]),
        strides: attribute.ints([stride, stride]),
        pads: attribute.ints(pads),
      }),
      [...x.dims.slice(0, 2), ...dims],
    );
  };

const reduction =
  (opType: string): Writer =>
  (b, x, _, setting) => {
    if (x.dims.length < 3) return [];
    const keep = setting % 2;
    const axis = 1 + (setting % (x.dims.length - 1));
    const dims = x.dims.flatMap((length, i) => (i === axis ? (keep ? [1] : []) : [length]));
    const attributes = { keepdims: attribute.int(keep) };
    return written(
      opType === 'ReduceSum'
        ? b.op(opType, [x.name, ints(b, [axis])], attributes)
        : b.op(opType, [x.name], { ...attributes, axes: attribute.ints([axis - x.dims.length]) }),
      dims,
    );
  };

/** Every operator that bounds are known of, by its name. */
const writers: Readonly<Record<string, Writer>> = {
  Relu: elementwise('Relu'),
  LeakyRelu: (b, x, _, setting) =>
    written(b.op('LeakyRelu', [x.name], { alpha: attribute.float([0.1, -0.3, 1.5][setting % 3]!) }), x.dims),
  PRelu: (b, x, _, setting) => {
    // One slope for all, one a channel, or one a value; of either sign.
    const own = x.dims.map((length, i) => (i === 0 || (setting % 3 === 1 && i > 1) ? 1 : length));
    return written(b.op('PRelu', [x.name, weights(b, setting % 3 ? own : [1], setting)]), x.dims);
  },
  Clip: (b, x, _, setting) =>
    written(
      b.op('Clip', [
        x.name,
        setting % 3 === 1 ? '' : scalar(b, -0.3),
        ...(setting % 3 === 2 ? [] : [scalar(b, 0.4)]),
      ]),
      x.dims,
    ),
  Sigmoid: elementwise('Sigmoid'),
  Tanh: elementwise('Tanh'),
  Neg: elementwise('Neg'),
  Identity: elementwise('Identity'),
  Dropout: elementwise('Dropout'),
  Cast: elementwise('Cast', { to: attribute.int(1) }),
  Add: (b, x, y, setting) =>
    setting % 2 ? both('Add')(b, x, y, setting) : withConstant('Add', true)(b, x, y, setting),
  Sub: (b, x, y, setting) =>
    setting % 2 ? both('Sub')(b, x, y, setting) : withConstant('Sub', true)(b, x, y, setting >> 1),
  Sum: (b, x, y) =>
    x.dims.join() === y.dims.join()
      ? written(b.op('Sum', [x.name, y.name, weights(b, x.dims, 3), x.name]), x.dims)
      : [],
  Mul: withConstant('Mul', true),
  Div: withConstant('Div', false),
  BatchNormalization: (b, x, _, setting) => {
    if (x.dims.length < 2) return [];
    const channels = [x.dims[1]!];
    const parts = [0, 1, 2].map((i) => weights(b, channels, setting + i));
    return written(b.op('BatchNormalization', [x.name, ...parts, positive(b, channels, setting)]), x.dims);
  },
  Gemm: (b, x, _, setting) => {
    if (x.dims.length !== 2) return [];
    const inner = x.dims[1]!;
    const transB = setting % 2;
    return written(
      b.op(
        'Gemm',
        [x.name, weights(b, transB ? [5, inner] : [inner, 5], setting), weights(b, [5], setting)],
        { transB: attribute.int(transB), alpha: attribute.float(0.7), beta: attribute.float(1.3) },
      ),
      [x.dims[0]!, 5],
    );
  },
  MatMul: (b, x, _, setting) => {
    if (setting % 2 && x.dims.length === 2) {
      return written(b.op('MatMul', [weights(b, [1, x.dims[0]!], setting), x.name]), [1, x.dims[1]!]);
    }
    const columns = 2 + (setting % 3);
    return written(b.op('MatMul', [x.name, weights(b, [x.dims.at(-1)!, columns], setting)]), [
      ...x.dims.slice(0, -1),
      columns,
    ]);
  },
  Conv: (b, x, _, setting) => {
    if (!isImage(x)) return [];
    const groups = x.dims[1]! % 2 === 0 && setting % 2 ? 2 : 1;
    const dilation = setting % 3 === 0 && x.dims[2]! > 2 && x.dims[3]! > 2 ? 2 : 1;
    const dims = x.dims
      .slice(2)
      .map((length) => Math.floor((length + 1 - dilation - 1) / (1 + (setting % 2))) + 1);
    return written(
      b.op('Conv', [x.name, weights(b, [4, x.dims[1]! / groups, 2, 2], setting), weights(b, [4], 1)], {
        group: attribute.int(groups),
        dilations: attribute.ints([dilation, dilation]),
        strides: attribute.ints([1 + (setting % 2), 1 + (setting % 2)]),
        pads: attribute.ints([1, 0, 0, 1]),
      }),
      [1, 4, ...dims],
    );
  },
  MaxPool: pool('MaxPool'),
  AveragePool: (b, x, y, setting) =>
    pool('AveragePool', { count_include_pad: attribute.int(setting % 2) })(b, x, y, setting),
  GlobalMaxPool: (b, x) =>
    isImage(x) ? written(b.op('GlobalMaxPool', [x.name]), [...x.dims.slice(0, 2), 1, 1]) : [],
  GlobalAveragePool: (b, x) =>
    isImage(x) ? written(b.op('GlobalAveragePool', [x.name]), [...x.dims.slice(0, 2), 1, 1]) : [],
  ReduceMean: reduction('ReduceMean'),
  ReduceSum: reduction('ReduceSum'),
  Flatten: (b, x) => written(b.op('Flatten', [x.name]), [x.dims[0]!, count(x.dims.slice(1))]),
  Reshape: (b, x) => written(b.op('Reshape', [x.name, ints(b, [1, -1])]), [1, count(x.dims)]),
  Transpose: (b, x) => {
    if (x.dims.length < 3) return [];
    const order = x.dims.map((_, i) => (i === 0 ? 0 : x.dims.length - i));
    return written(
      b.op('Transpose', [x.name], { perm: attribute.ints(order) }),
      order.map((i) => x.dims[i]!),
    );
  },
  Squeeze: (b, x) =>
    x.dims.length > 2 && x.dims.at(-1) === 1
      ? written(b.op('Squeeze', [x.name, ints(b, [-1])]), x.dims.slice(0, -1))
      : [],
  Unsqueeze: (b, x) =>
    x.dims.length < 4 ? written(b.op('Unsqueeze', [x.name, ints(b, [-1])]), [...x.dims, 1]) : [],
  Concat: (b, x, y, setting) => {
    if (x.dims.length !== 2 || y.dims.length !== 2) return [];
    const constant = weights(b, [1, 2], setting);
    return written(b.op('Concat', [x.name, constant, y.name], { axis: attribute.int(1) }), [
      1,
      x.dims[1]! + 2 + y.dims[1]!,
    ]);
  },
  Split: (b, x) => {
    if (x.dims.at(-1)! % 2) return [];
    const dims = [...x.dims.slice(0, -1), x.dims.at(-1)! / 2];
    return b.op('Split', [x.name], { axis: attribute.int(-1) }, 2).map((name) => ({ name, dims }));
  },
  Slice: (b, x) =>
    x.dims.at(-1)! < 2
      ? []
      : written(
          b.op('Slice', [x.name, ints(b, [-1]), ints(b, [-100]), ints(b, [-1]), ints(b, [-1])]),
          x.dims,
        ),
  Gather: (b, x) =>
    written(
      b.op('Gather', [x.name, b.constant(int64Tensor([2], [0, -1]), 'indices')], { axis: attribute.int(-1) }),
      [...x.dims.slice(0, -1), 2],
    ),
  Pad: (b, x, _, setting) => {
    const pads = ints(b, [
      ...x.dims.map(() => 0),
      ...x.dims.map((_, i) => (i === x.dims.length - 1 ? 1 : 0)),
    ]);
    const dims = [...x.dims.slice(0, -1), x.dims.at(-1)! + 1];
    return setting % 2
      ? written(b.op('Pad', [x.name, pads, scalar(b, 3)]), dims)
      : written(b.op('Pad', [x.name, pads], { mode: attribute.string('edge') }), dims);
  },
  Expand: (b, x) =>
    x.dims.length === 2
      ? written(b.op('Expand', [x.name, ints(b, [1, 2, x.dims[1]!])]), [1, 2, x.dims[1]!])
      : [],
  Tile: (b, x) =>
    x.dims.length === 2 ? written(b.op('Tile', [x.name, ints(b, [1, 2])]), [1, 2 * x.dims[1]!]) : [],
  DepthToSpace: (b, x) =>
    isImage(x) && x.dims[1] === 4
      ? written(b.op('DepthToSpace', [x.name], { blocksize: attribute.int(2) }), [
          1,
          1,
          2 * x.dims[2]!,
          2 * x.dims[3]!,
        ])
      : [],
  SpaceToDepth: (b, x) =>
    isImage(x) && x.dims[2]! % 2 === 0 && x.dims[3]! % 2 === 0
      ? written(b.op('SpaceToDepth', [x.name], { blocksize: attribute.int(2) }), [
          1,
          4 * x.dims[1]!,
          x.dims[2]! / 2,
          x.dims[3]! / 2,
        ])
      : [],
};

/** Names of the operators that random networks are made of. */
export const drawnOperators: readonly string[] = Object.keys(writers);

export const CLASSES = 3;

/** Builds the network of a recipe: its steps, then everything flattened into three logits. */
export function networkOf({ shape, choices }: Recipe): {
  readonly onnx: Uint8Array;
  readonly operators: readonly string[];
} {
  const b = graphBuilder(17);
  const pool: Value[] = [{ name: b.input('x', 'float', [1, ...shape]), dims: [1, ...shape] }];
  for (const { kind, operand, other, setting } of choices) {
    // The latest values twice as often, so that networks become deep.
    const pick = (at: number): Value => pool[at % 2 ? pool.length - 1 : at % pool.length]!;
    const write = writers[drawnOperators[kind % drawnOperators.length]!]!;
    for (const value of write(b, pick(operand), pick(other), setting)) {
      if (count(value.dims) <= 100 && count(value.dims) > 0) pool.push(value);
    }
  }
  const last = pool.slice(-4).map(({ name, dims }, i) => {
    const [flat] = b.op('Reshape', [name, ints(b, [1, -1])]);
    return b.op('MatMul', [flat, weights(b, [count(dims), CLASSES], i)])[0];
  });
  const logits = last.reduce((sum, value) => b.op('Add', [sum, value])[0]);
  b.output('out', 'float', [1, CLASSES], logits);
  return { onnx: encodeModel(b.toModel()), operators: operatorsBehind(b.build().nodes, 'out') };
}

/** Operators that a value is really computed with. */
function operatorsBehind(nodes: readonly Node[], value: string): readonly string[] {
  const needed = new Set([value]);
  return [...nodes].reverse().flatMap(({ opType, inputs, outputs }) => {
    if (!outputs.some((name) => needed.has(name))) return [];
    for (const name of inputs) needed.add(name);
    return [opType];
  });
}

const nat = fc.nat(1000);

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  shape: fc.constantFrom([4, 4, 4], [1, 5, 4], [6], [2, 3]),
  choices: fc.array(fc.record({ kind: nat, operand: nat, other: nat, setting: nat }), {
    minLength: 2,
    maxLength: 12,
  }),
});
