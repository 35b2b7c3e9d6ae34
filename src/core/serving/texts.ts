import type { TextFeatures } from '../spec/index.js';
import { hashedNgrams } from '../text/index.js';
import { quoted, type RequestProblems } from './request-problems.js';
import type { InputTensor, Samples } from './samples.js';

/**
 * Reads the texts of a BYTES tensor and makes of them what the model sees, as training did, adding everything that is wrong
 * with them to `problems`. Clients cannot send other vectors than texts become.
 */
export function readTexts(
  text: TextFeatures,
  tensor: InputTensor,
  mostSamples: number,
  problems: RequestProblems,
): Samples {
  const before = problems.count();
  const expect = (holds: boolean, what: string, expected: string, got: string): void => {
    if (!holds) problems.add('request-invalid', `inputs.0.${what}: expected ${expected}, got ${got}`);
  };
  const [samples = 0, ...further] = tensor.shape;
  expect(tensor.name === text.column, 'name', quoted(text.column), quoted(tensor.name));
  expect(tensor.datatype === 'BYTES', 'datatype', '"BYTES"', quoted(tensor.datatype));
  expect(samples >= 1 && further.length === 0, 'shape', '[n] with n ≥ 1', `[${tensor.shape.join(', ')}]`);
  if (samples > mostSamples) {
    problems.add(
      'batch-too-large',
      `inputs.0.shape: expected at most ${mostSamples} samples, got ${samples}`,
    );
  }
  if (problems.count() === before)
    expect(tensor.data.length === samples, 'data', `${samples} texts`, `${tensor.data.length}`);
  if (problems.count() > before) return { samples: 0, values: new Float32Array() };

  const values = new Float32Array(samples * text.buckets);
  for (const [index, value] of tensor.data.entries()) {
    const where = `inputs.0.data: text ${index}`;
    if (typeof value !== 'string') problems.add('request-invalid', `${where}: expected a string`);
    // A code point takes two code units at most: what is far too long is not counted.
    else if (value.length > 2 * text.maximumLength || [...value].length > text.maximumLength)
      problems.add('input-invalid', `${where}: expected at most ${text.maximumLength} characters`);
    else values.set(hashedNgrams(value, text), index * text.buckets);
  }
  return { samples, values };
}
