import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type DataType,
  decodeModel,
  differentiableOperators,
  encodeModel,
  type Model,
  openSession,
  type Tensor,
} from '../../../src/core/onnx/index.js';
import { inferFacts } from '../../../src/core/onnx/infer-facts.js';
import { dataConstructors } from '../../../src/core/onnx/tensor.js';

interface StoredTensor {
  readonly type: Exclude<DataType, 'string'>;
  readonly dims: readonly number[];
  /** Little-endian, in base64. */
  readonly data: string;
}

/** One row of node-cases.json.gz, which node-cases.py explains. */
interface Case {
  readonly name: string;
  readonly model: string;
  readonly inputs: Readonly<Record<string, StoredTensor>>;
  readonly outputs: Readonly<Record<string, StoredTensor>>;
  /** Relative, absolute. */
  readonly tolerance: readonly [number, number];
}

const cases = JSON.parse(
  gunzipSync(readFileSync(join(__dirname, 'fixtures/node-cases.json.gz'))).toString(),
) as readonly Case[];

/** Cases of known operators that are not run, by their names. */
const leftOut: readonly (readonly [RegExp, string])[] = [
  [/^test_training_dropout|^test_batchnorm.*_training_mode$/, 'training mode'],
  [/^test_clip_default_int8_(min|max)_expanded$/, 'ONNX Runtime has no Where of 8-bit integers'],
  [/^test_mod_float.*_fmod_0/, 'ONNX Runtime has Mod of floats with fmod alone'],
  [/^test_(de)?quantizelinear_blocked/, 'scales of blocks'],
  [
    /^test_resize_downsample_scales_(linear|cubic)_align_corners$/,
    'ONNX Runtime takes the length that it rounds to for the corner, the standard the length before',
  ],
  [/^test_resize_.*_not_(larger|smaller)$/, 'sizes that keep the ratio of the axes'],
  [/^test_reduce_max_empty_set_bool$/, 'ONNX Runtime has no maximum of no truth values'],
];

const known = new Set(differentiableOperators);
const modelOf = ({ model }: Case): Model => decodeModel(Buffer.from(model, 'base64'));

const toTensor = ({ type, dims, data }: StoredTensor): Tensor => {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return { type, dims, data: new dataConstructors[type](bytes.buffer) };
};

/** A case with the factors and regions of Resize as constants, as they are in models: they decide about shapes. */
function settled(each: Case): { readonly model: Model; readonly feeds: Readonly<Record<string, Tensor>> } {
  const { graph, ...rest } = modelOf(each);
  const settings = new Set(
    graph.nodes.flatMap(({ opType, inputs }) => (opType === 'Resize' ? inputs.slice(1) : [])),
  );
  const tensors = Object.entries(each.inputs).map(([name, tensor]) => [name, toTensor(tensor)] as const);
  const constants = Object.fromEntries(tensors.filter(([name]) => settings.has(name)));
  const model = {
    ...rest,
    graph: {
      ...graph,
      inputs: graph.inputs.filter(({ name }) => !settings.has(name)),
      initializers: { ...graph.initializers, ...constants },
    },
  };
  return { model, feeds: Object.fromEntries(tensors.filter(([name]) => !settings.has(name))) };
}

const numbers = (tensor: Tensor): number[] => Array.from(tensor.data as Iterable<number | bigint>, Number);

const isClose = (a: number, b: number, [relative, absolute]: Case['tolerance']): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= absolute + relative * Math.abs(b);

const supported = cases.filter((each) => modelOf(each).graph.nodes.every(({ opType }) => known.has(opType)));
const run = supported.filter(({ name }) => !leftOut.some(([pattern]) => pattern.test(name)));

describe("the ONNX backend's own cases", () => {
  test.each(run.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { model, feeds } = settled(each);
    const facts = inferFacts(model.graph, model.opset);
    const session = await openSession(encodeModel(model), { place: 'inline' });
    const results = await session.run(feeds);
    await session.close();
    for (const [name, stored] of Object.entries(each.outputs)) {
      const expected = toTensor(stored);
      const values = numbers(expected);
      const wrong = numbers(results[name]!).filter((value, i) => !isClose(value, values[i]!, each.tolerance));
      expect({ dims: results[name]!.dims, wrong }).toEqual({ dims: expected.dims, wrong: [] });
      const { elements, ...fact } = facts.get(name)!;
      expect(fact).toEqual({ type: expected.type, dims: expected.dims });
      if (elements) {
        expect(elements.filter((value, i) => !isClose(Number(value), values[i]!, each.tolerance))).toEqual(
          [],
        );
      }
    }
  });
});

test('few cases of known operators are left out, for reasons that have a case', () => {
  // Of the 1884 cases of onnx 1.23.2 the fixture holds those that node-cases.py keeps; the rest name operators that
  // Assay does not know.
  expect(run.length).toBeGreaterThanOrEqual(835);
  for (const [pattern] of leftOut) expect(supported.filter(({ name }) => pattern.test(name))).not.toEqual([]);
});
