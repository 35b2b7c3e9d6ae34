import fc from 'fast-check';
import { RefusedError } from '../../../src/core/errors/index.js';
import {
  attribute,
  decodeModel,
  encodeModel,
  floatTensor,
  type Graph,
  graphBuilder,
  int64Vector,
  type Model,
  type Tensor,
} from '../../../src/core/onnx/index.js';
import { readMessage, writeMessage } from '../../../src/core/onnx/wire.js';
import type { Message } from '../../../src/core/onnx/wire-schema.js';

const small = (): Model => {
  const b = graphBuilder(17);
  b.input('x', 'float', ['N', 2]);
  const w = b.constant(floatTensor([2, 3], [1, 2, 3, 4, 5, 6]), 'w');
  const [y] = b.op('Gemm', ['x', w], { alpha: attribute.float(0.5), transB: attribute.int(0) });
  b.output('y', 'float', ['N', 3], y);
  return b.toModel({ task: 'digits' });
};

const message = (): Message<'Model'> => readMessage('Model', encodeModel(small()));

/** What becomes of a model whose wire form was altered. */
const reread = (change: (graph: Message<'Graph'>) => Message<'Graph'>): Model => {
  const model = message();
  return decodeModel(writeMessage('Model', { ...model, graph: change(model.graph!) }));
};

const refusal = (act: () => unknown): RefusedError => {
  try {
    act();
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
};

/** A length-delimited field, written by hand. */
const field = (number: number, content: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(content.length)]), content]);
const varint = (value: number): number[] => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
};

describe('writing and reading models', () => {
  const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
  const dims = fc.array(fc.nat(3), { maxLength: 3 });
  const tensors: fc.Arbitrary<Tensor> = dims.chain((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const sized = { minLength: length, maxLength: length };
    return fc.oneof(
      fc.float32Array(sized).map((data): Tensor => ({ type: 'float', dims: shape, data })),
      fc.float64Array(sized).map((data): Tensor => ({ type: 'double', dims: shape, data })),
      fc.bigInt64Array(sized).map((data): Tensor => ({ type: 'int64', dims: shape, data })),
      fc.bigUint64Array(sized).map((data): Tensor => ({ type: 'uint64', dims: shape, data })),
      fc.int8Array(sized).map((data): Tensor => ({ type: 'int8', dims: shape, data })),
      fc.uint16Array(sized).map((data): Tensor => ({ type: 'float16', dims: shape, data })),
      fc.uint8Array({ ...sized, max: 1 }).map((data): Tensor => ({ type: 'bool', dims: shape, data })),
    );
  });
  const float = fc.float({ noNaN: true });
  const attributes = fc.oneof(
    fc.maxSafeInteger().map(attribute.int),
    float.map(attribute.float),
    names.map(attribute.string),
    fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 4 }).map(attribute.ints),
    fc.array(float, { minLength: 1, maxLength: 4 }).map(attribute.floats),
    tensors.map(attribute.tensor),
  );
  const models = fc
    .record({
      constants: fc.dictionary(names, tensors, { maxKeys: 4 }),
      attributes: fc.dictionary(names, attributes, { maxKeys: 4 }),
      metadata: fc.dictionary(names, fc.string({ unit: 'binary' }), { maxKeys: 3 }),
      axes: fc.array(fc.oneof(fc.nat(9), fc.constantFrom('N', '')), { maxLength: 3 }),
    })
    .map((parts): Model => {
      const free = (hint: string): string => (hint in parts.constants ? free(`${hint}'`) : hint);
      const x = free('x');
      const inner: Graph = { name: 'g', inputs: [], outputs: [], initializers: {}, nodes: [] };
      return {
        irVersion: 8,
        opset: 17,
        producer: 'test',
        metadata: parts.metadata,
        graph: {
          name: 'graph',
          inputs: [{ name: x, type: 'float', dims: parts.axes }],
          outputs: [{ name: free('y'), type: 'float', dims: [] }],
          initializers: parts.constants,
          nodes: [
            {
              name: '',
              opType: 'Op',
              domain: '',
              inputs: [x, ''],
              outputs: [free('y')],
              attributes: { ...parts.attributes, body: { kind: 'graph', value: inner } },
            },
          ],
        },
      };
    });

  test('a model survives the round trip, whatever its names, types and values', () => {
    fc.assert(
      fc.property(models, (model) => {
        expect(decodeModel(encodeModel(model))).toEqual(model);
      }),
    );
  });

  test('the order in which constants, attributes and metadata were added leaves no trace', () => {
    const reversed = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
      Object.fromEntries(Object.entries(record).reverse());
    fc.assert(
      fc.property(models, (model) => {
        const other: Model = {
          ...model,
          metadata: reversed(model.metadata),
          graph: {
            ...model.graph,
            initializers: reversed(model.graph.initializers),
            nodes: model.graph.nodes.map((node) => ({ ...node, attributes: reversed(node.attributes) })),
          },
        };
        expect(Buffer.compare(encodeModel(other), encodeModel(model))).toBe(0);
      }),
    );
  });

  test('the bytes stand in a buffer of their own', () => {
    const bytes = encodeModel(small());
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  test('damaged files are refused or read, never anything else', () => {
    const bytes = encodeModel(small());
    const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(flips, fc.nat(bytes.length), (changes, length) => {
        const damaged = bytes.slice();
        for (const [at, mask] of changes) damaged[at]! ^= mask;
        for (const file of [damaged, bytes.subarray(0, length), damaged.subarray(0, length)]) {
          try {
            decodeModel(file);
          } catch (error) {
            expect(error).toBeInstanceOf(RefusedError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('tensors in typed fields read as their raw twins do', () => {
    const typed = reread((graph) => ({
      ...graph,
      initializer: [{ name: 'w', dims: [2, 3], dataType: 1, floatData: [1, 2, 3, 4, 5, 6] }],
    }));
    expect(typed.graph.initializers.w).toEqual(floatTensor([2, 3], [1, 2, 3, 4, 5, 6]));
  });

  test('an initializer that is also listed as an input is a constant', () => {
    const model = reread((graph) => ({
      ...graph,
      input: [...graph.input!, { name: 'w', type: { tensor: { elementType: 1, shape: {} } } }],
    }));
    expect(model.graph.inputs.map(({ name }) => name)).toEqual(['x']);
  });
});

describe('what Model cannot hold is refused', () => {
  const tensor = (message: Message<'Tensor'>) => (graph: Message<'Graph'>) => ({
    ...graph,
    initializer: [{ name: 'w', ...message }],
  });
  const node = (change: Message<'Node'>) => (graph: Message<'Graph'>) => ({
    ...graph,
    node: graph.node!.map((each) => ({ ...each, ...change })),
  });

  test.each<[string, (graph: Message<'Graph'>) => Message<'Graph'>, RegExp]>([
    [
      'external data',
      tensor({ dims: [0], dataType: 1, dataLocation: 1 }),
      /initializer w: external data is not supported/,
    ],
    [
      'data shorter than the shape',
      tensor({ dims: [2, 3], dataType: 1, rawData: new Uint8Array(20) }),
      /initializer w: expected 24 bytes of data, got 20/,
    ],
    [
      'shapes that overflow',
      tensor({ dims: [2 ** 32, 2 ** 32], dataType: 1 }),
      /initializer w: expected a shape of at most/,
    ],
    [
      'negative lengths',
      tensor({ dims: [-1, -1], dataType: 1, floatData: [1] }),
      /initializer w: expected a shape/,
    ],
    [
      'data given twice',
      tensor({ dims: [1], dataType: 1, floatData: [1], rawData: new Uint8Array(4) }),
      /initializer w: data is given in 2 fields/,
    ],
    [
      'data in a field for another type',
      tensor({ dims: [1], dataType: 7, floatData: [1] }),
      /initializer w: data is in a field for another type than int64/,
    ],
    [
      'values that do not fit their type',
      tensor({ dims: [1], dataType: 3, int32Data: [128] }),
      /initializer w: 128 does not fit in int8/,
    ],
    ['string tensors', tensor({ dims: [0], dataType: 8 }), /initializer w: element type 8/],
    [
      'operators of other domains',
      node({ domain: 'com.example' }),
      /node Gemm \(Gemm\): operator domain com\.example/,
    ],
    [
      'attributes with values of two kinds',
      node({ attribute: [{ name: 'a', type: 2, i: 1, f: 1 }] }),
      /attribute a: expected int, got float too/,
    ],
    [
      'values used before they are computed',
      node({ input: ['x', 'later'] }),
      /node Gemm \(Gemm\): input later is not computed before/,
    ],
    ['values defined twice', node({ output: ['x'] }), /node Gemm \(Gemm\): value x is defined twice/],
    [
      'outputs that nothing computes',
      (graph) => ({ ...graph, output: graph.output!.map((each) => ({ ...each, name: 'z' })) }),
      /graph output z is not computed/,
    ],
    [
      'inputs without a shape',
      (graph) => ({ ...graph, input: [{ name: 'x', type: { tensor: { elementType: 1 } } }] }),
      /value x: expected a shape/,
    ],
  ])('%s', (_, change, expected) => {
    const error = refusal(() => reread(change));
    expect(error.code).toBe('model-unreadable');
    expect(error.message).toMatch(expected);
  });

  test('other operator domains, even when no node uses them', () => {
    const bytes = writeMessage('Model', {
      ...message(),
      opsetImport: [{ version: 17 }, { domain: 'com.example', version: 1 }],
    });
    expect(refusal(() => decodeModel(bytes)).message).toContain('operator domain com.example');
  });

  test.each([
    ['functions', 25],
    ['training information', 20],
    ['fields of a future version', 99],
  ])('%s', (_, number) => {
    const bytes = Buffer.concat([encodeModel(small()), field(number, new Uint8Array())]);
    expect(refusal(() => decodeModel(bytes)).code).toBe('model-unreadable');
  });

  test('a second graph, which other readers would merge with the first', () => {
    const graph = field(7, writeMessage('Graph', message().graph!));
    const bytes = Buffer.concat([encodeModel(small()), graph]);
    expect(refusal(() => decodeModel(bytes)).message).toContain('Model.graph is given twice');
  });

  test('names that are not UTF-8', () => {
    const bytes = Buffer.concat([encodeModel(small()), field(14, field(1, Uint8Array.of(0xff)))]);
    expect(refusal(() => decodeModel(bytes)).message).toContain('not valid UTF-8');
  });

  test('graphs nested deeper than any model needs', () => {
    let graph: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 500; depth++) graph = field(1, field(5, field(6, graph)));
    const bytes = Buffer.concat([encodeModel(small()).subarray(0, 2), field(7, graph)]);
    expect(refusal(() => decodeModel(bytes)).message).toContain('nested deeper');
  });

  test('and is not written either', () => {
    const model = small();
    const wrong = { ...model.graph.initializers, w: { ...int64Vector([1]), dims: [2] } };
    const graph = { ...model.graph, initializers: wrong };
    expect(refusal(() => encodeModel({ ...model, graph })).message).toContain(
      'initializer w: expected 2 elements',
    );
  });
});
