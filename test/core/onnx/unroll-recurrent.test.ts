import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Attribute,
  attribute,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Tensor,
  lossGradientModel,
  type Model,
  openSession,
  type Results,
  type Tensor,
  unrollRecurrent,
} from '../../../src/core/onnx/index.js';

interface Stored {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** One row of recurrent.json, which recurrent.py explains. */
interface Case {
  readonly name: string;
  readonly op: string;
  readonly direction: string;
  readonly attributes: Readonly<Record<string, number | readonly string[]>>;
  readonly inputs: Readonly<Record<string, Stored>>;
  readonly outputs: Readonly<Record<string, Stored>>;
  readonly weights: Readonly<Record<string, Stored>>;
  readonly gradients: Readonly<Record<string, Stored>>;
}

const cases = JSON.parse(readFileSync(join(__dirname, 'fixtures/recurrent.json'), 'utf8')) as readonly Case[];

const slots = ['X', 'W', 'R', 'B', '', 'initial_h', 'initial_c'];
const hiddenSize = 2;

const toAttribute = (value: number | readonly string[]): Attribute =>
  typeof value === 'number' ? attribute.int(value) : { kind: 'strings', value };

/** A model of one recurrent node, whose outputs are all given out. */
function modelOf({ op, direction, attributes, inputs, outputs }: Case, opset: number): Model {
  const b = graphBuilder(opset);
  for (const [name, { dims }] of Object.entries(inputs)) b.input(name, 'float', dims);
  const names: readonly string[] = b.op(
    op,
    slots.slice(0, op === 'LSTM' ? 7 : 6).map((name) => (name in inputs ? name : '')),
    {
      ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)])),
      direction: attribute.string(direction),
      hidden_size: attribute.int(hiddenSize),
    },
    Object.keys(outputs).length as number,
  );
  for (const [i, [name, { dims }]] of Object.entries(outputs).entries())
    b.output(name, 'float', dims, names[i]);
  return b.toModel();
}

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Results> {
  const session = await openSession(encodeModel(model), { place: 'inline' });
  const results = await session.run(feeds);
  await session.close();
  return results;
}

const feedsOf = ({ inputs }: Case): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { dims, data }]) => [name, floatTensor(dims, data)]));

function expectClose(actual: Results, expected: Readonly<Record<string, Stored>>, prefix = ''): void {
  for (const [name, { dims, data }] of Object.entries(expected)) {
    const tensor = actual[`${prefix}${name}`]!;
    expect(tensor.dims).toEqual(dims);
    const worst = Math.max(...data.map((value, i) => Math.abs(value - Number(tensor.data[i]))));
    expect(worst / Math.max(1, ...data.map(Math.abs))).toBeLessThan(2e-6);
  }
}

describe.each([11, 17, 21])('in operator set %i', (opset) => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const model = modelOf(each, opset);
    expectClose(await run(model, feedsOf(each)), each.outputs);

    const graph = unrollRecurrent(model.graph, opset);
    expect(graph.nodes.some(({ opType }) => opType === each.op)).toBe(false);
    const b = graphBuilder(opset);
    for (const { name, type, dims } of graph.inputs) b.input(name, type, dims);
    b.import(graph);
    const terms = Object.entries(each.weights).map(([name, weights]) => weighted(b, name, weights));
    const wrt = Object.keys(each.inputs);
    const gradients = differentiate(b, b.op('Sum', terms)[0], wrt);
    for (const [name, { dims }] of Object.entries(each.outputs)) b.output(name, 'float', dims);
    for (const name of wrt) b.output(`d${name}`, 'float', each.inputs[name]!.dims, gradients[name]);
    const results = await run(b.toModel(), feedsOf(each));
    expectClose(results, each.outputs);
    expectClose(results, each.gradients, 'd');
  });
});

function weighted(b: GraphBuilder, name: string, { dims, data }: Stored): string {
  const [product] = b.op('Mul', [name, b.constant(floatTensor(dims, data), 'weights')]);
  const [flat] = b.op('Reshape', [product, b.constant(int64Tensor([1], [-1]), 'flat')]);
  return b.op('ReduceSum', [flat], { keepdims: attribute.int(0) })[0];
}

/** A classifier of sequences [N, 3, 2]: an LSTM's last state, as the logits of two classes. */
function classifier(steps: number | string, more: Readonly<Record<string, Attribute>> = {}): Model {
  const b = graphBuilder(17);
  b.input('x', 'float', ['N', steps, 2]);
  const weights = (dims: readonly number[], hint: string): string =>
    b.constant(
      floatTensor(
        dims,
        Array.from({ length: dims.reduce((a, c) => a * c) }, (_, i) => Math.sin(i + 1)),
      ),
      hint,
    );
  const [sequence] = b.op('Transpose', ['x'], { perm: attribute.ints([1, 0, 2]) });
  const [, last] = b.op(
    'LSTM',
    [sequence, weights([1, 8, 2], 'w'), weights([1, 8, 2], 'r')],
    { ...more, hidden_size: attribute.int(2) },
    2,
  );
  b.output('y', 'float', ['N', 2], b.op('Squeeze', [last!, b.constant(int64Tensor([1], [0]), 'axes')])[0]);
  return b.toModel();
}

test('a classifier of sequences has the loss gradient of its steps, whatever the batch', async () => {
  const model = lossGradientModel(classifier(3));
  const values = Array.from({ length: 12 }, (_, i) => Math.cos(3 * i));
  const loss = async (at: readonly number[], labels: readonly number[]): Promise<Results> =>
    run(model, {
      input: floatTensor([labels.length, 3, 2], at),
      labels: int64Tensor([labels.length], labels),
    });
  const both = await loss(values, [0, 1]);
  const second = await loss(values.slice(6), [1]);
  expect(both.gradient!.data.slice(6)).toEqual(second.gradient!.data);
  for (let i = 0; i < 6; i++) {
    const side = async (step: number): Promise<number> => {
      const moved = values.slice(6);
      moved[i]! += step;
      return Number((await loss(moved, [1])).loss!.data[0]);
    };
    const slope = ((await side(2 ** -7)) - (await side(-(2 ** -7)))) / 2 ** -6;
    expect(second.gradient!.data[i]).toBeCloseTo(slope, 3);
  }
});

test.each([
  ['a sequence of no fixed length', classifier('T'), /LSTM.*has no fixed length, but T/],
  ['clipping', classifier(3, { clip: attribute.float(1) }), /LSTM.*clipping is not supported/],
  [
    'other activations',
    classifier(3, { activations: { kind: 'strings', value: ['HardSigmoid', 'Tanh', 'Tanh'] } }),
    /activations hardsigmoid, tanh, tanh are not supported/,
  ],
  ['coupled gates', classifier(3, { input_forget: attribute.int(1) }), /coupled gates are not supported/],
  ['too many steps', classifier(1025), /expected 1 to 1024 steps, got 1025/],
])('%s is refused by the name of the node', (_, model, message) => {
  expect(() => lossGradientModel(model)).toThrow(
    expect.objectContaining({ code: 'operator-unsupported', message: expect.stringMatching(message) }),
  );
});
