import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { RefusedError } from '../../../src/core/errors/index.js';
import {
  lifecycleJsonSchema,
  lifecycleJsonSchemaText,
  parseLifecycle,
  type SpecProblem,
  safeParseLifecycle,
} from '../../../src/core/spec/index.js';

const valid = `# A lifecycle in full.
apiVersion: assay/v1
name: digits
data:
  source: digits.csv
  id: id
  label: { column: digit, classes: [0, 1] }
  features:
    - columns: [p0, p1]
      type: integer
      minimum: 0
      maximum: 16
training:
  trainer: built-in
  parameters:
    network: { kind: linear }
    epochs: 3
gates:
  - gate: accuracy
    minimum: 0.9
release:
  endpoint: digits
`;

function problemsOf(source: string | Uint8Array): readonly SpecProblem[] {
  const parsed = safeParseLifecycle(source);
  return parsed.ok ? [] : parsed.problems;
}
const lines = (text: string) => {
  try {
    parseLifecycle(text, 'l.yaml');
    return [];
  } catch (error) {
    return (error as RefusedError).details;
  }
};

describe('a lifecycle file', () => {
  it('is read with its defaults filled in', () => {
    expect(parseLifecycle(valid, 'lifecycle.yaml')).toMatchObject({
      data: { split: { train: 0.7 }, features: [{ scale: 'none' }] },
      training: { seed: 0, reproduce: true },
    });
  });

  it('is refused with every problem at once: place, path, expected, got and what was meant', () => {
    const text = valid
      .replace('name: digits', 'name: Digits!')
      .replace('minimum: 0\n', 'minimum: zero\n')
      .replace('kind: linear', 'kind: liner')
      .replace('epochs: 3', 'epoch: 3')
      .replace('minimum: 0.9', 'minimum: 1.9')
      .replace('  endpoint: digits\n', '  endpoint: digits\n  approval:\n');
    expect(lines(text)).toEqual([
      'l.yaml:3:7 name: expected 1 to 63 lower-case letters, digits and inner dashes, got "Digits!"',
      'l.yaml:11:16 data.features[0].minimum: expected a number, got "zero"',
      'l.yaml:16:22 training.parameters.network.kind: expected "linear", "mlp", "cnn" or "onnx", got "liner"; did you mean linear?',
      'l.yaml:17:5 training.parameters.epoch: expected one of the fields network, epochs, batchSize, learningRate, ' +
        'schedule, weightDecay, dropout, labelSmoothing, adversarial, earlyStopping, partitions, checkpointEverySeconds, got "epoch"; did you mean epochs?',
      'l.yaml:20:14 gates[0].minimum: expected at most 1, got 1.9',
      'l.yaml:23:12 release.approval: expected "none" or "required", got an empty value',
    ]);
  });

  it('is refused by rules between fields at the field that breaks them', () => {
    const text = valid.replace('[p0, p1]', '[p0, p0]');
    expect(lines(text)).toEqual([
      'l.yaml:9:21 data.features[0].columns[1]: expected each column once, got p0 again',
    ]);
  });

  describe('that smooths its model', () => {
    const withGate = (gate: string, smoothing = '  smoothing: { sigma: 0.5 }\n') =>
      valid.replace('gates:\n', `${smoothing}gates:\n  - ${gate}\n`);
    const certified = (sigma: number) =>
      `{ gate: certified, method: smoothing, norm: l2, epsilon: 0.5, minimum: 0.5, smoothing: { sigma: ${sigma} } }`;

    it('is read with a gate on certificates of what is served', () => {
      expect(problemsOf(withGate(certified(0.5)))).toEqual([]);
      expect(parseLifecycle(withGate(certified(0.5)), 'l.yaml').training.smoothing).toEqual({
        sigma: 0.5,
        samples: 1000,
        alpha: 0.001,
      });
    });

    it.each([
      ['certificates under other noise', certified(0.25), undefined],
      ['certificates of a classifier that is not served', certified(0.5), ''],
      [
        'bounds of the base',
        '{ gate: certified, method: crown, norm: linf, epsilon: 0.1, minimum: 0.5 }',
        undefined,
      ],
      ['attacks on the base', '{ gate: evasion, norm: l2, epsilon: 0.5, minimum: 0.5 }', undefined],
    ])('is refused with a gate on %s', (_, gate, smoothing) => {
      expect(problemsOf(withGate(gate, smoothing)).map(({ path: where }) => where)).toEqual(['gates[0]']);
    });
  });

  it('is refused where categories and groups contradict their feature', () => {
    const withFeature = (fields: string) =>
      lines(valid.replace('minimum: 0\n', `minimum: 0\n      ${fields}\n`)).map(
        (line) => line.split('features[0].')[1],
      );
    expect(withFeature('values: [0, 2, 1, 99]')).toEqual([
      'values: expected ascending values, got 1 later',
      'values: expected values in the range, got 99',
    ]);
    expect(withFeature('oneHot: true')).toEqual([
      'oneHot: expected a one-hot group with minimum 0 and maximum 1, got true',
    ]);
  });

  it('names a missing field at the block that lacks it', () => {
    expect(lines(valid.replace('  source: digits.csv\n', ''))).toEqual([
      'l.yaml:5:3 data.source: expected a text, got nothing',
    ]);
  });

  it.each([
    ['a duplicate key', `${valid}name: other\n`, '23:1 name: expected each field once, got it a second time'],
    [
      'an alias',
      valid.replace('endpoint: digits', 'endpoint: *digits'),
      '22:13 release.endpoint: expected the value written out, got an alias',
    ],
    [
      'an anchor and its alias',
      valid.replace('name: digits', 'name: &n digits').replace('endpoint: digits', 'endpoint: *n'),
      '22:13 release.endpoint: expected the value written out, got an alias',
    ],
    ['a second document', `${valid}---\n${valid}`, 'expected one document, got another one after ---'],
    [
      'a tag',
      valid.replace('name: digits', 'name: !!js/function digits'),
      'expected plain values, got a tag',
    ],
    ['a tab', valid.replace('  source', '\tsource'), 'expected'],
    ['an open quote', valid.replace('name: digits', 'name: "digits'), 'expected'],
    ['an empty text', '', '1:1: expected a map of fields, got an empty value'],
    ['more than 1 MiB', `#${' '.repeat(1024 * 1024)}`, 'expected at most 1048576 bytes'],
  ])('is refused for %s', (_case, text, expected) => {
    expect(lines(text).join('\n')).toContain(expected);
  });

  it('is refused when it is not UTF-8', () => {
    expect(problemsOf(Buffer.from(valid.replace('digits', 'ziffern-ü'), 'latin1'))).toMatchObject([
      { expected: 'text in UTF-8' },
    ]);
  });

  it.each([
    ['lists', '['.repeat(30_000)],
    ['maps', '{a: '.repeat(10_000)],
    ['keys', '? '.repeat(10_000)],
    ['names in one map', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['an alias bomb', `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n`],
  ])('survives an attack by many %s', (_case, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });

  it('reports a bounded number of problems in one error', () => {
    const details = lines(valid + Array.from({ length: 1000 }, (_, i) => `k${i}: 1`).join('\n'));
    expect(details).toHaveLength(201);
    expect(details.at(-1)).toBe('l.yaml: and 800 more');
  });

  it('never crashes and always says where, whatever is mutated', () => {
    const pieces = [
      '',
      ':',
      '- ',
      '[',
      '}',
      '"',
      '&a ',
      '*a',
      '\t',
      '\n',
      '---\n',
      '!x ',
      '\u0000',
      '🜁',
      'null',
    ];
    const mutation = fc.record({
      at: fc.nat(valid.length),
      drop: fc.nat(12),
      insert: fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 6 })),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const text = mutations.reduce(
          (before, { at, drop, insert }) => before.slice(0, at) + insert + before.slice(at + drop),
          valid,
        );
        const parsed = safeParseLifecycle(text);
        if (parsed.ok) return;
        const height = text.split('\n').length;
        expect(parsed.problems.length).toBeGreaterThan(0);
        for (const problem of parsed.problems) {
          expect(problem.line).toBeGreaterThanOrEqual(1);
          expect(problem.line).toBeLessThanOrEqual(height);
          expect(problem.column).toBeGreaterThanOrEqual(1);
          expect(problem.expected).not.toBe('');
          expect(problem.got).not.toBe('');
        }
      }),
      { numRuns: 150 },
    );
  });

  it('reports a wrong value at its own path, whichever scalar is wrong', () => {
    const tree = parse(valid) as Record<string, unknown>;
    const paths: (string | number)[][] = [];
    const collect = (value: unknown, at: (string | number)[]) => {
      if (value === null || typeof value !== 'object') paths.push(at);
      else
        for (const [key, inner] of Object.entries(value))
          collect(inner, [...at, Array.isArray(value) ? Number(key) : key]);
    };
    collect(tree, []);
    for (const at of paths) {
      const broken = structuredClone(tree);
      const holder = at.slice(0, -1).reduce<never>((value, key) => value[key] as never, broken as never);
      (holder as Record<string | number, unknown>)[at.at(-1)!] = [];
      const rendered = at
        .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
        .join('')
        .slice(1);
      expect(problemsOf(stringify(broken)).map((problem) => problem.path)).toContain(rendered);
    }
  });
});

describe('the JSON Schema', () => {
  const file = path.resolve(__dirname, '../../../docs/schema/lifecycle.schema.json');

  it('in docs/schema is current: refresh it with `assay schema`', () => {
    expect(readFileSync(file, 'utf8')).toBe(lifecycleJsonSchemaText());
  });

  it('describes what a person writes: fields with defaults may be left out', () => {
    expect(lifecycleJsonSchema()).toMatchObject({
      required: ['apiVersion', 'name', 'data', 'training', 'gates', 'release'],
      properties: { data: { required: ['source', 'id', 'label'] } },
      additionalProperties: false,
    });
  });
});

it('a refusal carries the code of the errors table', () => {
  expect(() => parseLifecycle('', 'l.yaml')).toThrow(RefusedError);
});
