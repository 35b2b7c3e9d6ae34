import type { ModelCard } from '../spec/index.js';
import { quoted, type RequestProblems } from './request-problems.js';

/** A tensor as the Open Inference Protocol writes it; data is flat or nested as deep as the shape. */
export interface InputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

export interface Samples {
  /** Number of samples. */
  readonly samples: number;
  /** Row-major [samples, …card.input.shape]. */
  readonly values: Float32Array;
}

/**
 * Reads the samples of a tensor, adding everything that is wrong with them to `problems`.
 *
 * Values and bounds are compared in float32, the precision that the model sees: a client that stores the bound 0.1 in
 * float32 sends 0.10000000149011612, which is that bound.
 */
export function readSamples(
  card: ModelCard,
  tensor: InputTensor,
  mostSamples: number,
  problems: RequestProblems,
): Samples {
  const before = problems.count();
  if (tensor.name !== card.input.name) {
    problems.add(
      'request-invalid',
      `inputs.0.name: expected ${quoted(card.input.name)}, got ${quoted(tensor.name)}`,
    );
  }
  if (tensor.datatype !== 'FP32') {
    problems.add('request-invalid', `inputs.0.datatype: expected "FP32", got ${quoted(tensor.datatype)}`);
  }
  const samples = tensor.shape[0] ?? 0;
  const sampleShape = tensor.shape.slice(1);
  if (samples < 1 || !equal(sampleShape, card.input.shape)) {
    const expected = `[n, ${card.input.shape.join(', ')}] with n ≥ 1`;
    problems.add('request-invalid', `inputs.0.shape: expected ${expected}, got [${tensor.shape.join(', ')}]`);
  }
  if (samples > mostSamples) {
    problems.add(
      'batch-too-large',
      `inputs.0.shape: expected at most ${mostSamples} samples, got ${samples}`,
    );
  }
  // Without a shape that fits, nobody can say which value belongs where.
  if (problems.count() > before) return { samples: 0, values: new Float32Array() };
  return { samples, values: readValues(card, tensor, problems) };
}

function readValues(card: ModelCard, tensor: InputTensor, problems: RequestProblems): Float32Array {
  const before = problems.count();
  const flat = tensor.data.some(Array.isArray) ? flatten(tensor, problems) : tensor.data;
  if (problems.count() > before) return new Float32Array();
  const size = product(tensor.shape);
  if (flat.length !== size) {
    problems.add(
      'request-invalid',
      `inputs.0.data: expected ${size} values for shape [${tensor.shape.join(', ')}], got ${flat.length}`,
    );
    return new Float32Array();
  }
  const perSample = product(card.input.shape);
  const values = new Float32Array(size);
  for (const [index, value] of flat.entries()) {
    const feature = index % perSample;
    const where = () =>
      `inputs.0.data: sample ${Math.floor(index / perSample)}, value ${feature} (${quoted(card.input.columns[feature] ?? '')})`;
    if (typeof value !== 'number') {
      problems.add('request-invalid', `${where()}: expected a number, got ${kindOf(value)}`);
      continue;
    }
    // −0 would be another input to whatever is keyed by the bytes, and the same one to the model.
    values[index] = value + 0;
    const minimum = Math.fround(card.input.minimum[feature] ?? Number.NaN);
    const maximum = Math.fround(card.input.maximum[feature] ?? Number.NaN);
    const seen = values[index]!;
    // Written so that NaN, on any side, is outside.
    if (!(seen >= minimum && seen <= maximum && Number.isFinite(seen))) {
      problems.add(
        'input-invalid',
        `${where()}: expected a finite value in [${card.input.minimum[feature]}, ${card.input.maximum[feature]}], got ${value}`,
      );
    }
  }
  return values;
}

/** Flattens nested data; it recurses as deep as the shape at most, whatever the data nests. */
function flatten(tensor: InputTensor, problems: RequestProblems): readonly unknown[] {
  const { shape } = tensor;
  const flat: unknown[] = [];
  const visit = (value: unknown, axis: number, path: string): void => {
    if (axis === shape.length) {
      flat.push(value);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const got = Array.isArray(value) ? `an array of ${value.length}` : kindOf(value);
      problems.add('request-invalid', `${path}: expected an array of ${shape[axis]}, got ${got}`);
      return;
    }
    for (const [index, item] of value.entries()) visit(item, axis + 1, `${path}.${index}`);
  };
  visit(tensor.data, 0, 'inputs.0.data');
  return flat;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, axis) => total * axis, 1);
}

function equal(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
