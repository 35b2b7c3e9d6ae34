import {
  attribute,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Tensor,
  int64Vector,
  openSession,
} from '../../../src/core/onnx/index.js';
import { inferFacts } from '../../../src/core/onnx/infer-facts.js';

const [float, int32, int64] = [1, 6, 7].map((to) => ({ to: attribute.int(to) }));

const ints = (b: GraphBuilder, ...values: number[]): string => b.constant(int64Vector(values), 'ints');
const integer = (b: GraphBuilder, value: number): string => b.constant(int64Tensor([], [value]), 'integer');
const real = (b: GraphBuilder, value: number): string => b.constant(floatTensor([], [value]), 'real');
const concat = (b: GraphBuilder, ...parts: string[]): string =>
  b.op('Concat', parts, { axis: attribute.int(0) })[0];

/** The length of an axis, as PyTorch's older exporter asks for it. */
const lengthOf = (b: GraphBuilder, x: string, axis: number): string =>
  b.op('Gather', [b.op('Shape', [x])[0], integer(b, axis)], { axis: attribute.int(0) })[0];

/** Chains that exporters write around [N, 4, 6]: what they give, with N as it is called. */
const chains: Readonly<
  Record<string, readonly [(b: GraphBuilder, x: string) => string, readonly (number | string)[]]>
> = {
  'flattening, as PyTorch does': [
    (b, x) => {
      const n = b.op('Unsqueeze', [lengthOf(b, x, 0), ints(b, 0)])[0];
      const size = b.op('Mul', [lengthOf(b, x, 1), lengthOf(b, x, 2)])[0];
      return b.op('Reshape', [x, concat(b, n, b.op('Unsqueeze', [size, ints(b, 0)])[0])])[0];
    },
    ['N', 24],
  ],
  'batch and rows in one, and apart again': [
    (b, x) => {
      const [n, rows] = [lengthOf(b, x, 0), lengthOf(b, x, 1)];
      const vectors = [b.op('Mul', [n, rows])[0], lengthOf(b, x, 2), n, rows].map(
        (value) => b.op('Unsqueeze', [value, ints(b, 0)])[0],
      );
      const together = b.op('Reshape', [x, concat(b, vectors[0]!, vectors[1]!)])[0];
      return b.op('Reshape', [together, concat(b, vectors[2]!, vectors[3]!, ints(b, -1))])[0];
    },
    ['N', 4, 6],
  ],
  'heads of attention, whose size is a quotient': [
    (b, x) => {
      const [heads] = b.op('Div', [lengthOf(b, x, 2), integer(b, 3)]);
      const [n, rows, size] = [lengthOf(b, x, 0), lengthOf(b, x, 1), heads].map(
        (value) => b.op('Unsqueeze', [value, ints(b, 0)])[0],
      );
      return b.op('Reshape', [x, concat(b, n!, rows!, ints(b, 3), size!)])[0];
    },
    ['N', 4, 3, 2],
  ],
  'a target in 32-bit integers, as Keras has it': [
    (b, x) => {
      const [shape] = b.op('Cast', b.op('Shape', [x]), int32);
      const [n] = b.op('Slice', [shape, ints(b, 0), ints(b, 1), ints(b, 0)]);
      const [rest] = b.op('Cast', [ints(b, 24)], int32);
      return b.op('Reshape', [x, b.op('Cast', [concat(b, n, rest)], int64)[0]])[0];
    },
    ['N', 24],
  ],
  'half of the rows, rounded down in floats': [
    (b, x) => {
      const [half] = b.op('Mul', [b.op('Cast', [lengthOf(b, x, 1)], float)[0], real(b, 0.6)]);
      const [end] = b.op('Cast', b.op('Floor', [half]), int64);
      return b.op('Slice', [x, ints(b, 0), b.op('Unsqueeze', [end, ints(b, 0)])[0], ints(b, 1)])[0];
    },
    ['N', 2, 6],
  ],
  'a token repeated for each sample, with −1 for lengths that stay': [
    (b, x) => {
      const token = b.constant(floatTensor([1, 1, 6], [1, 2, 3, 4, 5, 6]), 'token');
      const wanted = concat(b, b.op('Unsqueeze', [lengthOf(b, x, 0), ints(b, 0)])[0], ints(b, -1, -1));
      const value = { value: attribute.tensor(int64Tensor([1], [1])) };
      const [ones] = b.op('ConstantOfShape', b.op('Shape', [wanted]), value);
      const [minus] = b.op('Mul', [ones, integer(b, -1)]);
      const [shape] = b.op('Where', [b.op('Equal', [wanted, minus])[0], ones, wanted]);
      const [tokens] = b.op('Expand', [token, shape]);
      return b.op('Concat', [tokens, x], { axis: attribute.int(1) })[0];
    },
    ['N', 5, 6],
  ],
  'columns by a range, and a product over a shape': [
    (b, x) => {
      const [columns] = b.op('Range', [integer(b, 0), lengthOf(b, x, 2), integer(b, 2)]);
      const [picked] = b.op('Gather', [x, columns], { axis: attribute.int(2) });
      const [whole] = b.op('ReduceProd', b.op('Shape', [picked]), { keepdims: attribute.int(1) });
      return b.op('Reshape', [picked, whole])[0];
    },
    ['12·N'],
  ],
  'repeats of each sample': [
    (b, x) => b.op('Tile', [x, concat(b, ints(b, 2), b.op('Sub', [ints(b, 3, 2), ints(b, 2, 1)])[0])])[0],
    ['2·N', 4, 6],
  ],
};

test.each(Object.entries(chains))('the shape is known after %s', async (_, [chain, dims]) => {
  const b = graphBuilder(17);
  const x = b.input('x', 'float', ['N', 4, 6]);
  const y = chain(b, x);
  expect(inferFacts(b.build(), 17).get(y)?.dims).toEqual(dims);
  const [loss] = b.op('ReduceSum', b.op('Mul', [y, y]));
  b.output('y', 'float', dims, y);
  b.output('dx', 'float', ['N', 4, 6], differentiate(b, loss, [x])[x]);
  const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
  const values = Array.from({ length: 72 }, (_, i) => i + 1);
  const results = await session.run({ x: floatTensor([3, 4, 6], values) });
  await session.close();
  const actual = dims.map((axis) =>
    typeof axis === 'number' ? axis : 3 * Number(/^(\d+)·N$/.exec(axis)?.[1] ?? 1),
  );
  expect(results.y!.dims).toEqual(actual);
  // Of Σy², each copy of an element gives 2x.
  const copies = Array.from(results.y!.data, Number);
  const expected = values.map((value) => 2 * value * copies.filter((copy) => copy === value).length);
  const fromToken = (value: number): number => (dims[1] === 5 && value <= 6 ? 3 * 2 * value : 0);
  expect(Array.from(results.dx!.data, Number)).toEqual(expected.map((each, i) => each - fromToken(i + 1)));
});

test('lengths that only the run can tell are never taken for known ones', () => {
  const b = graphBuilder(17);
  const x = b.input('x', 'float', ['N', 'M']);
  const y = b.input('y', 'float', ['N', 'K']);
  const [both] = b.op('Concat', [x, y], { axis: attribute.int(1) });
  const [sum] = b.op('Add', [b.op('Shape', [x])[0], b.op('Shape', [y])[0]]);
  const facts = inferFacts(b.build(), 17);
  expect(facts.get(both)?.dims).toEqual(['N', `${both}[1]`]);
  expect(facts.get(sum)).toEqual({ type: 'int64', dims: [2] });
});

test('parts of symbolic lengths get their own gradients', async () => {
  const b = graphBuilder(13);
  b.input('x', 'float', ['N', 'M']);
  b.input('y', 'float', ['N', 'K']);
  const [both] = b.op('Concat', ['x', 'y'], { axis: attribute.int(-1) });
  const gradients = differentiate(b, b.op('Mul', [both, both])[0], ['x', 'y']);
  b.output('dx', 'float', ['N', 'M'], gradients.x);
  b.output('dy', 'float', ['N', 'K'], gradients.y);
  const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
  const results = await session.run({ x: floatTensor([1, 2], [1, 2]), y: floatTensor([1, 3], [3, 4, 5]) });
  await session.close();
  expect(Array.from(results.dx!.data, Number)).toEqual([2, 4]);
  expect(Array.from(results.dy!.data, Number)).toEqual([6, 8, 10]);
});
