import {
  type Attribute,
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Tensor,
  logitGradientModel,
  logitsModel,
  lossGradientModel,
  type Model,
  openSession,
  type Results,
  type Tensor,
  withNoiseInputs,
} from '../../../src/core/onnx/index.js';

/** A classifier that does something random to its input [N, 3], which is its logits then. */
function classifier(random: (b: GraphBuilder) => string, opset = 17, batch = 'N'): Model {
  const b = graphBuilder(opset);
  b.input('x', 'float', [batch, 3]);
  b.output('y', 'float', [batch, 3], random(b));
  return b.toModel();
}

const plus =
  (opType: string, attributes: Readonly<Record<string, Attribute>>) =>
  (b: GraphBuilder): string =>
    b.op('Add', ['x', b.op(opType, opType.endsWith('Like') ? ['x'] : [], attributes)[0]])[0];

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Results> {
  const session = await openSession(encodeModel(model), { place: 'inline' });
  const results = await session.run(feeds);
  await session.close();
  return results;
}

const numbers = (results: Results, name: string): readonly number[] =>
  Array.from(results[name]!.data, Number);

test.each([
  [
    'RandomNormalLike',
    plus('RandomNormalLike', { mean: attribute.float(2), scale: attribute.float(0.5) }),
    { name: 'noise_0', dims: ['N', 3], distribution: { kind: 'normal', mean: 2, scale: 0.5 } },
  ],
  [
    'RandomUniformLike',
    plus('RandomUniformLike', { low: attribute.float(-1) }),
    { name: 'noise_0', dims: ['N', 3], distribution: { kind: 'uniform', low: -1, high: 1 } },
  ],
  [
    'RandomNormal',
    plus('RandomNormal', { shape: attribute.ints([1, 3]) }),
    { name: 'noise_0', dims: [1, 3], distribution: { kind: 'normal', mean: 0, scale: 1 } },
  ],
  [
    'RandomUniform',
    plus('RandomUniform', { shape: attribute.ints([3]), high: attribute.float(4) }),
    { name: 'noise_0', dims: [3], distribution: { kind: 'uniform', low: 0, high: 4 } },
  ],
])('%s becomes an input, whose numbers the logits follow', async (_, random, described) => {
  const { model, noise } = withNoiseInputs(classifier(random));
  expect(noise).toEqual([described]);
  const dims = described.dims.map((axis) => (axis === 'N' ? 1 : Number(axis)));
  const feeds = { input: floatTensor([1, 3], [1, 2, 3]), noise_0: floatTensor(dims, [0.25, 0.5, -1]) };
  expect(numbers(await run(logitsModel(model, noise), feeds), 'logits')).toEqual([1.25, 2.5, 2]);
});

test('an unnamed batch is the batch of the noise', () => {
  const { model, noise } = withNoiseInputs(classifier(plus('RandomNormalLike', {}), 17, ''));
  expect(noise[0]!.dims).toEqual(['N', 3]);
  expect(() => lossGradientModel(model, noise)).not.toThrow();
});

test('Bernoulli is 1 where the draw is below the probability', async () => {
  const { model, noise } = withNoiseInputs(classifier((b) => b.op('Bernoulli', ['x'])[0]));
  expect(noise[0]!.distribution).toEqual({ kind: 'uniform', low: 0, high: 1 });
  const feeds = {
    input: floatTensor([1, 3], [0.2, 0.5, 0.9]),
    noise_0: floatTensor([1, 3], [0.25, 0.5, 0.25]),
  };
  expect(numbers(await run(logitsModel(model, noise), feeds), 'logits')).toEqual([0, 0, 1]);
});

describe('Dropout', () => {
  const dropout =
    (isTraining: boolean, outputs = 1) =>
    (b: GraphBuilder): string => {
      const ratio = b.constant(floatTensor([], [0.75]), 'ratio');
      const mode = b.constant({ type: 'bool', dims: [], data: Uint8Array.of(isTraining ? 1 : 0) }, 'mode');
      const [kept, mask] = b.op('Dropout', ['x', ratio, mode], {}, outputs as number);
      return mask ? b.op('Add', [kept!, b.op('Cast', [mask], { to: attribute.int(1) })[0]])[0] : kept!;
    };

  test('in training mode keeps what the draw spares, and carries the gradient of the same draw', async () => {
    const { model, noise } = withNoiseInputs(classifier(dropout(true, 2)));
    const feeds = {
      input: floatTensor([1, 3], [1, 2, 3]),
      weights: floatTensor([1, 3], [1, 1, 1]),
      noise_0: floatTensor([1, 3], [0.5, 0.75, 0.99]),
    };
    const results = await run(logitGradientModel(model, noise), feeds);
    expect(numbers(results, 'gradient')).toEqual([0, 4, 4]);
    const { weights: _, ...own } = feeds;
    expect(numbers(await run(logitsModel(model, noise), own), 'logits')).toEqual([0, 9, 13]);
  });

  test('keeps as much as ONNX Runtime does, on average', async () => {
    const wide = graphBuilder(17);
    wide.input('x', 'float', ['N', 4096]);
    const ratio = wide.constant(floatTensor([], [0.75]), 'ratio');
    const mode = wide.constant({ type: 'bool', dims: [], data: Uint8Array.of(1) }, 'mode');
    wide.output('y', 'float', ['N', 4096], wide.op('Dropout', ['x', ratio, mode])[0]);
    const drawn = numbers(
      await run(wide.toModel(), { x: floatTensor([1, 4096], new Float32Array(4096).fill(1)) }),
      'y',
    );
    expect(new Set(drawn)).toEqual(new Set([0, 4]));
    expect(drawn.filter((value) => value > 0).length / 4096).toBeCloseTo(0.25, 1);
  });

  test('at inference draws nothing', () => {
    expect(withNoiseInputs(classifier(dropout(false))).noise).toEqual([]);
  });
});

test('draws are numbered in the order of their nodes, and one sample has the same answer in any batch', async () => {
  const { model, noise } = withNoiseInputs(
    classifier((b) => {
      const [first] = b.op('RandomNormalLike', ['x']);
      const [second] = b.op('RandomUniformLike', ['x']);
      return b.op('Tanh', [b.op('Mul', [b.op('Add', ['x', first])[0], second])[0]])[0];
    }),
  );
  expect(noise.map(({ name, distribution }) => [name, distribution.kind])).toEqual([
    ['noise_0', 'normal'],
    ['noise_1', 'uniform'],
  ]);
  const gradient = lossGradientModel(model, noise);
  const rows = (from: number, to: number): Record<string, Tensor> => {
    const part = (seed: number): Tensor =>
      floatTensor(
        [to - from, 3],
        Array.from({ length: 9 }, (_, i) => Math.sin(seed * (i + 1))).slice(3 * from, 3 * to),
      );
    return {
      input: part(1),
      noise_0: part(2),
      noise_1: part(3),
      labels: int64Tensor([to - from], [0, 1, 2].slice(from, to)),
    };
  };
  const all = numbers(await run(gradient, rows(0, 3)), 'gradient');
  expect(numbers(await run(gradient, rows(2, 3)), 'gradient')).toEqual(all.slice(6));
});

test('a classifier that draws classes is refused by the name of the node', () => {
  const model = classifier((b) => b.op('Cast', [b.op('Multinomial', ['x'])[0]], { to: attribute.int(1) })[0]);
  expect(() => withNoiseInputs(model)).toThrow(
    expect.objectContaining({
      code: 'operator-unsupported',
      message: expect.stringMatching(/Multinomial.*draws of classes/),
    }),
  );
});

test('a second input that nobody declared as noise is refused', () => {
  const { model } = withNoiseInputs(classifier(plus('RandomNormalLike', {})));
  expect(() => logitsModel(model)).toThrow(/expected one float input/);
});
