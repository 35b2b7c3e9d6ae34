import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Attribute,
  attribute,
  differentiableOperators,
  differentiate,
  encodeModel,
  floatTensor,
  graphBuilder,
  int64Tensor,
  openSession,
  type Tensor,
} from '../../../src/core/onnx/index.js';
import { inferFacts } from '../../../src/core/onnx/infer-facts.js';
import { operatorOf } from '../../../src/core/onnx/operators/registry.js';

interface StoredTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

/** One row of gradients*.json, which reference-gradients*.py explain. */
interface Case {
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly inputs: readonly (StoredTensor | null)[];
  readonly outputs: readonly (readonly number[])[];
  /** `null` for outputs that are no part of the loss. */
  readonly weights: readonly (readonly number[] | null)[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const fixtures = join(__dirname, 'fixtures');
const cases = readdirSync(fixtures)
  .filter((name) => /^gradients.*\.json$/.test(name))
  .sort()
  .flatMap((name) => JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as readonly Case[]);

const floatAttributes = new Set([
  'alpha',
  'beta',
  'bias',
  'cubic_coeff_a',
  'epsilon',
  'extrapolation_value',
  'gamma',
  'lambd',
]);
const toAttribute = (name: string, value: number | string | readonly number[]): Attribute => {
  if (typeof value === 'string') return attribute.string(value);
  if (typeof value === 'number') {
    return floatAttributes.has(name) ? attribute.float(value) : attribute.int(value);
  }
  return attribute.ints(value);
};

const toTensor = ({ type, dims, data }: StoredTensor): Tensor => {
  if (type === 'float') return floatTensor(dims, data);
  return type === 'bool' ? { type: 'bool', dims, data: Uint8Array.from(data) } : int64Tensor(dims, data);
};

/** Builds loss = Σ weights·outputs around one node and differentiates it. */
const build = (each: Case) => {
  const b = graphBuilder(each.opset);
  const feeds: Record<string, Tensor> = {};
  const inputs = each.inputs.map((input, i) => {
    if (!input) return '';
    // Factors of Resize decide about shapes.
    const isSetting = each.op === 'Resize' && i > 0;
    if (input.type !== 'float' || isSetting) return b.constant(toTensor(input), `x${i}`);
    feeds[`x${i}`] = toTensor(input);
    return b.input(`x${i}`, 'float', input.dims);
  });
  const attributes = Object.fromEntries(
    Object.entries(each.attributes).map(([name, value]) => [name, toAttribute(name, value)]),
  );
  const outputs: readonly string[] = b.op(each.op, inputs, attributes, each.outputs.length as number);
  const terms = outputs.flatMap((y, i) => {
    if (!each.weights[i]) return [];
    const weights = b.constant(floatTensor(each.outputs[i]!, each.weights[i]), 'weights');
    const [flat] = b.op('Reshape', [
      b.op('Mul', [y, weights])[0],
      b.constant(int64Tensor([1], [-1]), 'flat'),
    ]);
    return b.op('ReduceSum', [flat], { keepdims: attribute.int(0) });
  });
  const [loss] = b.op('Sum', terms);
  const shapes = inferFacts(b.build(), each.opset);
  const wrt = Object.keys(each.gradients).map((i) => `x${i}`);
  const gradients = differentiate(b, loss, wrt);
  for (const name of wrt) b.output(`d${name}`, 'float', feeds[name]!.dims, gradients[name]);
  return { bytes: encodeModel(b.toModel()), feeds, inferred: outputs.map((y) => shapes.get(y)?.dims) };
};

test.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
  const { bytes, feeds, inferred } = build(each);
  expect(inferred).toEqual(each.outputs);
  const session = await openSession(bytes, { place: 'inline' });
  const results = await session.run(feeds);
  await session.close();
  for (const [i, expected] of Object.entries(each.gradients)) {
    const { data, dims } = results[`dx${i}`]!;
    expect(dims).toEqual(each.inputs[Number(i)]!.dims);
    const scale = Math.max(1, ...expected.map(Math.abs));
    const worst = Math.max(...expected.map((value, j) => Math.abs(value - Number(data[j]))));
    expect(worst / scale).toBeLessThan(2e-6);
  }
});

test('every differentiable operator has reference gradients', () => {
  // A cast between float types is the identity, of which nothing is to be measured; the others move in steps, do not
  // look at values, or are refused where a gradient would pass. What has whole numbers inside has tests of its own.
  const elsewhere = ['Cast', 'OneHot', 'Range', 'QuantizeLinear', 'DequantizeLinear'];
  const covered = new Set([...elsewhere, ...cases.map(({ op }) => op)]);
  const moving = differentiableOperators.filter((op) => typeof operatorOf(op)?.backward === 'function');
  expect(moving.filter((op) => !covered.has(op))).toEqual([]);
});
