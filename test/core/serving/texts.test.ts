import type { RefusedError } from '../../../src/core/errors/index.js';
import { describeInput, readInferenceRequest } from '../../../src/core/serving/index.js';
import { type ModelCard, revealsSchema } from '../../../src/core/spec/index.js';
import { hashedNgrams } from '../../../src/core/text/index.js';

const text = { column: 'text', words: [1], characters: [3], buckets: 16, maximumLength: 5 };
const card: ModelCard = {
  version: 1,
  name: 'reviews',
  input: {
    name: 'input',
    shape: [16],
    minimum: Array(16).fill(0),
    maximum: Array(16).fill(1),
    columns: Array.from({ length: 16 }, (_, i) => `text#${i}`),
    text,
  },
  output: { name: 'logits', classes: ['negative', 'positive'] },
  snapshot: `sha256:${'0'.repeat(64)}`,
  training: { trainer: 'built-in', seed: 0, parameters: {} },
};
const everything = revealsSchema.parse({});
const request = (change: object) => ({
  inputs: [{ name: 'text', datatype: 'BYTES', shape: [2], data: ['good', 'bad'], ...change }],
});

describe('a request to a model of texts', () => {
  it('holds texts, which the model sees as it did when it was trained', () => {
    expect(describeInput(card)).toEqual({ name: 'text', datatype: 'BYTES', shape: [-1] });
    const { samples, values } = readInferenceRequest(card, everything, request({}), 4);
    expect(samples).toBe(2);
    expect(values).toEqual(Float32Array.of(...hashedNgrams('good', text), ...hashedNgrams('bad', text)));
  });

  it.each([
    [
      'vectors instead',
      { name: 'input', datatype: 'FP32', shape: [1, 16], data: Array(16).fill(0) },
      'request-invalid',
    ],
    ['fewer texts than it says', { data: ['good'] }, 'request-invalid'],
    ['numbers', { data: [1, 2] }, 'request-invalid'],
    ['a text that is too long', { data: ['good', '😀'.repeat(6)] }, 'input-invalid'],
    ['more texts than allowed', { shape: [5], data: Array(5).fill('') }, 'batch-too-large'],
    ['no text', { shape: [0], data: [] }, 'request-invalid'],
  ])('is refused with %s', (_, change, code) => {
    expect(() => readInferenceRequest(card, everything, request(change), 4)).toThrow(
      expect.objectContaining({ code }) as RefusedError,
    );
    expect(
      readInferenceRequest(card, everything, request({ data: ['good', '😀'.repeat(5)] }), 4).samples,
    ).toBe(2);
  });
});
