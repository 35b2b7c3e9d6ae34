import {
  attribute,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  lossGradientModel,
  openSession,
  straightThroughNodes,
  type Tensor,
} from '../../../src/core/onnx/index.js';

const int8 = (values: readonly number[], dims: readonly number[] = [values.length]): Tensor => ({
  type: 'int8',
  dims,
  data: Int8Array.from(values),
});
const uint8 = (values: readonly number[]): Tensor => ({
  type: 'uint8',
  dims: [],
  data: Uint8Array.from(values),
});

/** Rounds a value to `scale` steps and back. */
function fakeQuantize(b: GraphBuilder, x: string, scale: Tensor, zero?: Tensor, axis?: number): string {
  const settings = [b.constant(scale, 'scale'), ...(zero ? [b.constant(zero, 'zero')] : [])];
  const along = axis === undefined ? {} : { axis: attribute.int(axis) };
  const [whole] = b.op('QuantizeLinear', [x, ...settings], along);
  return b.op('DequantizeLinear', [whole, ...settings], along)[0];
}

/** The gradient of Σ weights · quantized x. */
async function gradientOf(
  opset: number,
  x: Tensor,
  weights: readonly number[],
  write: (b: GraphBuilder) => string,
): Promise<readonly number[]> {
  const b = graphBuilder(opset);
  b.input('x', 'float', x.dims);
  const [loss] = b.op('Mul', [write(b), b.constant(floatTensor(x.dims, weights), 'weights')]);
  b.output('dx', 'float', x.dims, differentiate(b, loss, ['x']).x);
  const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
  const { dx } = await session.run({ x });
  await session.close();
  return Array.from(dx!.data, Number);
}

test.each([11, 13, 19, 21])(
  'in operator set %i, gradients go straight through, but not where values are cut off',
  async (opset) => {
    // 0.5·(−128 … 127 − 2): from −65 to 62.5, and half a step beyond either end still rounds into the range.
    const x = floatTensor([6], [-80, -65.125, -1.75, 3.3, 62.625, 90]);
    const gradient = await gradientOf(opset, x, [1, 2, 3, 4, 5, 6], (b) =>
      fakeQuantize(b, 'x', floatTensor([], [0.5]), int8([2], [])),
    );
    expect(gradient).toEqual([0, 2, 3, 4, 5, 0]);
  },
);

test('without a zero point, values are quantized to 0 … 255', async () => {
  const gradient = await gradientOf(13, floatTensor([4], [-1, 0.1, 60, 70]), [1, 2, 3, 4], (b) =>
    fakeQuantize(b, 'x', floatTensor([], [0.25])),
  );
  expect(gradient).toEqual([0, 2, 3, 0]);
});

test.each([1, -2])('each index of axis %i has a scale of its own', async (axis) => {
  // Cut off beyond 12.75 in the first channel and beyond 1.275 in the second.
  const x = floatTensor([1, 2, 3], [1, 12, 13, 1, 2, -0.5]);
  const gradient = await gradientOf(13, x, [1, 2, 3, 4, 5, 6], (b) =>
    fakeQuantize(b, 'x', floatTensor([2], [0.1, 0.01]), int8([0, 0]), axis),
  );
  expect(gradient.map(Math.round)).toEqual([1, 2, 0, 4, 0, 6]);
});

test('the loss of a quantized classifier has a gradient, which is said to be an estimate', async () => {
  const b = graphBuilder(17);
  b.input('x', 'float', ['N', 2]);
  const inside = fakeQuantize(b, 'x', floatTensor([], [0.1]), uint8([10]));
  const filters = b.constant(int8([1, -2, 3, 4], [2, 2]), 'filters');
  const [weights] = b.op('DequantizeLinear', [filters, b.constant(floatTensor([], [0.5]), 'step')]);
  b.output('y', 'float', ['N', 2], b.op('MatMul', [inside, weights])[0]);
  const model = b.toModel();
  expect(straightThroughNodes(model)).toEqual([{ name: 'QuantizeLinear', opType: 'QuantizeLinear' }]);
  const session = await openSession(encodeModel(lossGradientModel(model)), { place: 'inline' });
  const labels: Tensor = { type: 'int64', dims: [1], data: BigInt64Array.of(0n) };
  const { gradient } = await session.run({ input: floatTensor([1, 2], [0.52, -0.11]), labels });
  await session.close();
  // Logits 0.5·(1·0.5 − 3·0.1, −2·0.5 − 4·0.1); the gradient is weights · (softmax − one-hot).
  const p = 1 / (1 + Math.exp(0.1 + 0.7));
  expect(gradient!.data[0]).toBeCloseTo(0.5 * (-p - 2 * p), 5);
  expect(gradient!.data[1]).toBeCloseTo(0.5 * (-3 * p + 4 * p), 5);
});

test('estimates that no gradient meets are not named', () => {
  const b = graphBuilder(17);
  b.input('x', 'float', ['N', 2]);
  fakeQuantize(b, b.op('Tanh', ['x'])[0], floatTensor([], [0.1]));
  const fixed = fakeQuantize(b, b.constant(floatTensor([2], [1, 2]), 'bias'), floatTensor([], [0.1]));
  b.output('y', 'float', ['N', 2], b.op('Add', ['x', fixed])[0]);
  expect(straightThroughNodes(b.toModel())).toEqual([]);
});

test('arithmetic in whole numbers is refused by the name of the node', () => {
  const b = graphBuilder(17);
  b.input('x', 'float', ['N', 2]);
  const [whole] = b.op('QuantizeLinear', ['x', b.constant(floatTensor([], [0.1]), 'scale')]);
  const [product] = b.op('MatMulInteger', [whole, b.constant(int8([1, 2, 3, 4], [2, 2]), 'weights')]);
  b.output('y', 'float', ['N', 2], b.op('Cast', [product], { to: attribute.int(1) })[0]);
  expect(() => lossGradientModel(b.toModel())).toThrow(
    expect.objectContaining({
      code: 'operator-unsupported',
      message: expect.stringMatching(/MatMulInteger.*not supported/),
    }),
  );
});
