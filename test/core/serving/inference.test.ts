import fc from 'fast-check';
import { RefusedError } from '../../../src/core/errors/index.js';
import {
  abstentionLabel,
  describeOutputs,
  outputTensors,
  readInferenceRequest,
} from '../../../src/core/serving/index.js';
import { type ModelCard, revealsSchema } from '../../../src/core/spec/index.js';

const card: ModelCard = {
  version: 1,
  name: 'digits',
  input: {
    name: 'input',
    shape: [1, 2, 2],
    minimum: [0, 0, 0, -1],
    maximum: [1, 1, 0.1, 1],
    columns: ['a', 'b', 'c', 'd'],
  },
  output: { name: 'logits', classes: [3, 5, 7] },
  snapshot: `sha256:${'0'.repeat(64)}`,
  training: { trainer: 'built-in', seed: 0, parameters: {} },
};

const everything = revealsSchema.parse({});
const inFull = (probabilities: Float64Array) => probabilities.map(Math.fround);
const tensor = { name: 'input', datatype: 'FP32', shape: [1, 1, 2, 2], data: [0, 0.5, 0.1, -1] as unknown };
const request = (change: object = {}, others: object = {}) => ({
  inputs: [{ ...tensor, ...change }],
  ...others,
});

function refusal(body: unknown, of: ModelCard = card): RefusedError {
  try {
    readInferenceRequest(of, everything, body, 4);
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('a request', () => {
  it('is read alike from flat and from nested data', () => {
    const flat = readInferenceRequest(card, everything, request(), 4);
    const nested = readInferenceRequest(
      card,
      everything,
      request({
        data: [
          [
            [
              [0, 0.5],
              [0.1, -1],
            ],
          ],
        ],
      }),
      4,
    );
    expect(flat.values).toEqual(Float32Array.of(0, 0.5, 0.1, -1));
    expect(nested).toEqual(flat);
  });

  it('says the same with a zero of either sign', () => {
    const { values } = readInferenceRequest(card, everything, request({ data: [-0, 0.5, 0, -0] }), 4);
    expect([...values].map((value) => Object.is(value, -0))).toEqual([false, false, false, false]);
  });

  it('may name the outputs it wants, in its order, and an id', () => {
    const outputs = [{ name: 'probabilities' }, { name: 'label', parameters: { binary_data: false } }];
    expect(readInferenceRequest(card, everything, request({}, { id: 'mine', outputs }), 4)).toMatchObject({
      id: 'mine',
      outputs: ['probabilities', 'label'],
    });
    expect(readInferenceRequest(card, everything, request(), 4).outputs).toEqual(['label', 'probabilities']);
  });

  it('takes a bound that a client stored in float32 for that bound', () => {
    const values = [0, 0, Math.fround(0.1), 0];
    expect(values[2]).toBeGreaterThan(0.1);
    expect(() => readInferenceRequest(card, everything, request({ data: values }), 4)).not.toThrow();
  });

  it.each<[string, string, unknown, string]>([
    ['a body that is no object', 'request-invalid', null, 'body'],
    ['no inputs', 'request-invalid', { inputs: [] }, 'inputs'],
    ['two inputs', 'request-invalid', { inputs: [tensor, tensor] }, 'inputs'],
    ['a field that the protocol does not have', 'request-invalid', request({}, { model: 'x' }), 'model'],
    ['another name', 'request-invalid', request({ name: 'x\u0007' }), 'expected "input", got "x\\u0007"'],
    ['another datatype', 'request-invalid', request({ datatype: 'FP64' }), 'got "FP64"'],
    [
      'another rank',
      'request-invalid',
      request({ shape: [1, 4] }),
      'expected [n, 1, 2, 2] with n ≥ 1, got [1, 4]',
    ],
    ['an empty batch', 'request-invalid', request({ shape: [0, 1, 2, 2], data: [] }), 'n ≥ 1'],
    ['too little data', 'request-invalid', request({ data: [0] }), 'expected 4 values'],
    ['too much data', 'request-invalid', request({ data: [0, 0, 0, 0, 0] }), 'expected 4 values'],
    [
      'ragged data',
      'request-invalid',
      request({ data: [[[[0, 0], [0]]]] }),
      'data.0.0.1: expected an array of 2, got an array of 1',
    ],
    [
      'data that nests too deep',
      'request-invalid',
      request({
        data: [
          [
            [
              [0, 0],
              [0, [0]],
            ],
          ],
        ],
      }),
      'expected a number, got an array',
    ],
    [
      'text for a number',
      'request-invalid',
      request({ data: [0, '0', 0, 0] }),
      'value 1 ("b"): expected a number',
    ],
    ['null for a number', 'request-invalid', request({ data: [0, 0, 0, null] }), 'got null'],
    ['an unknown output', 'request-invalid', request({}, { outputs: [{ name: 'logits' }] }), 'got "logits"'],
    [
      'an output asked for twice',
      'request-invalid',
      request({}, { outputs: [{ name: 'label' }, { name: 'label' }] }),
      'label again',
    ],
    [
      'a batch beyond the limit',
      'batch-too-large',
      request({ shape: [5, 1, 2, 2] }),
      'at most 4 samples, got 5',
    ],
    ['infinity', 'input-invalid', request({ data: [0, 0, 0, Number.POSITIVE_INFINITY] }), 'got Infinity'],
    ['not a number', 'input-invalid', request({ data: [Number.NaN, 0, 0, 0] }), 'got NaN'],
    [
      'a number that float32 rounds to infinity',
      'input-invalid',
      request({ data: [1e39, 0, 0, 0] }),
      'got 1e+39',
    ],
    ['a value above its range', 'input-invalid', request({ data: [0, 0, 0.11, 0] }), 'in [0, 0.1], got 0.11'],
    ['a value below its range', 'input-invalid', request({ data: [-0.01, 0, 0, 0] }), 'in [0, 1], got -0.01'],
  ])('is refused for %s', (_name, code, body, detail) => {
    const error = refusal(body);
    expect(error.code).toBe(code);
    expect(error.details.join('\n')).toContain(detail);
  });

  it('is told every problem at once', () => {
    const all = request({ name: 'x', datatype: 'INT8', shape: [9, 1] }, { outputs: [{ name: 'y' }] });
    expect(refusal(all).details).toHaveLength(5);
    expect(refusal(request({ data: [2, 2, 2, 2] })).details).toHaveLength(4);
  });

  it('is told fifty problems in words and the rest as a number', () => {
    const sixteen: ModelCard = {
      ...card,
      input: {
        ...card.input,
        shape: [16],
        minimum: Array(16).fill(0),
        maximum: Array(16).fill(1),
        columns: [],
      },
    };
    const { details } = refusal(request({ shape: [4, 16], data: Array(64).fill(9) }), sixteen);
    expect(details).toHaveLength(51);
    expect(details.at(-1)).toBe('and 14 more');
  });

  it('is not answered at greater length for holding much that is unknown', () => {
    const unknown = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, 1]));
    const { message, details } = refusal({ ...request(), ...unknown });
    expect(message.length + details.join().length).toBeLessThan(2_000);
  });

  it('is refused, whatever it holds, by a card that does not say what is valid', () => {
    const silent: ModelCard = { ...card, input: { ...card.input, minimum: [], maximum: [] } };
    expect(refusal(request(), silent).code).toBe('input-invalid');
  });

  it('either is refused or holds only finite values in range, whatever JSON comes', () => {
    const value = fc.oneof(fc.double(), fc.double({ min: -1, max: 1 }), fc.jsonValue());
    const data = fc.oneof(fc.array(value, { minLength: 4, maxLength: 4 }), fc.jsonValue());
    fc.assert(
      fc.property(data, fc.array(fc.nat(4), { maxLength: 5 }), fc.boolean(), (content, shape, fits) => {
        let read: ReturnType<typeof readInferenceRequest>;
        try {
          read = readInferenceRequest(
            card,
            everything,
            request({ data: content, ...(fits ? {} : { shape }) }),
            4,
          );
        } catch (error) {
          expect(error).toBeInstanceOf(RefusedError);
          return;
        }
        expect(read.values).toHaveLength(read.samples * 4);
        for (const [index, each] of read.values.entries()) {
          expect(each).toBeGreaterThanOrEqual(Math.fround(card.input.minimum[index % 4]!));
          expect(each).toBeLessThanOrEqual(Math.fround(card.input.maximum[index % 4]!));
        }
      }),
    );
  });
});

describe('an answer', () => {
  const logits = Float32Array.of(0, 9, 0, 4, 4, 0);

  it('gives the class of the largest logit and float32 probabilities', () => {
    const [label, probabilities] = outputTensors(card, logits, ['label', 'probabilities'], inFull);
    expect(label).toEqual({ name: 'label', datatype: 'INT64', shape: [2], data: [5, 3] });
    expect(probabilities).toMatchObject({ name: 'probabilities', datatype: 'FP32', shape: [2, 3] });
    for (const value of probabilities!.data) expect(value).toBe(Math.fround(value as number));
    expect(probabilities!.data.slice(3, 5)).toEqual([
      Math.fround(1 / (2 + Math.exp(-4))),
      Math.fround(1 / (2 + Math.exp(-4))),
    ]);
  });

  it('gives labels as BYTES when any class is text', () => {
    const mixed: ModelCard = { ...card, output: { name: 'logits', classes: ['cat', 5, 'dog'] } };
    expect(outputTensors(mixed, logits, ['label'], inFull)).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [2], data: ['5', 'cat'] },
    ]);
    expect(describeOutputs(mixed, everything)[0]).toEqual({ name: 'label', datatype: 'BYTES', shape: [-1] });
  });

  it('is refused when a logit is not finite, even if only labels are wanted', () => {
    expect(() => outputTensors(card, Float32Array.of(1, Number.NaN, 0), ['label'], inFull)).toThrow(
      expect.objectContaining({ code: 'prediction-undefined' }),
    );
  });

  it.each([
    [[3, 5], -1],
    [[-1, 1], -2],
    [['cat', 'dog'], ''],
    [['', '-', 5], '--'],
  ])(
    'of a smoothed classifier of %j that abstains has the label %j, which is no class',
    (classes, expected) => {
      const smoothed = { ...card, output: { name: 'logits', classes } };
      expect(abstentionLabel(smoothed)).toBe(expected);
    },
  );

  it('says whether it abstains only where it may', () => {
    const asked = request({}, { outputs: [{ name: 'abstained' }] });
    expect(() => readInferenceRequest(card, everything, asked, 8)).toThrow(
      expect.objectContaining({ code: 'request-invalid' }),
    );
    const smoothed = { ...card, smoothing: { sigma: 0.5, samples: 100, alpha: 0.001 } };
    expect(readInferenceRequest(smoothed, everything, asked, 8).outputs).toEqual(['abstained']);
  });
});
