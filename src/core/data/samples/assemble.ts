import { RefusedError } from '../../errors/index.js';
import type { RawSamples, SampleOptions, SampleSet } from './sample-set.js';
import { type ValidRange, validRange } from './valid-range.js';

/** Problems that an error lists. */
const MAXIMUM_DETAILS = 20;
const MAXIMUM_CLASSES = 100_000;

/**
 * Makes samples of what a source holds: labels become class indices, values are scaled and rounded to float32 once.
 *
 * @param described - the valid range, where a specification gives it value by value
 * @throws RefusedError `data-refused` when values are not finite or outside the valid range, labels are no classes, or
 * the samples do not have the shape; `usage` when options are missing or contradict the source
 */
export function assembleSamples(raw: RawSamples, options: SampleOptions, described?: ValidRange): SampleSet {
  if (raw.ids.length === 0) throw new RefusedError('data-refused', 'expected samples, got none');
  const notes = [...raw.notes];
  const note = (text: string): void => void notes.push(text);
  const shape = sampleShape(raw, options.shape);
  const { classes, labels } = classLabels(raw, options, note);
  expectFinite(raw);
  const range = described ?? validRange({ ...raw, shape }, options, note);
  const samples = { ids: raw.ids, inputs: scaled(raw, range), labels };
  const bound = (index: 0 | 1): Float32Array =>
    Float32Array.from(range.low, (low, i) => (range.unit[i] ? index : index === 0 ? low : range.high[i]!));
  const set = { samples, classes, minimum: bound(0), maximum: bound(1), shape, notes };
  expectInside(set, raw);
  return raw.columns ? { ...set, columns: raw.columns } : set;
}

function sampleShape(raw: RawSamples, asked: readonly number[] | undefined): readonly number[] {
  if (!asked) return raw.shape;
  const sizeOf = (axes: readonly number[]): number => axes.reduce((product, axis) => product * axis, 1);
  const [wanted, given] = [sizeOf(asked), sizeOf(raw.shape)];
  const shown = (axes: readonly number[]): string => `[${axes.join(', ')}]`;
  if (wanted !== given) {
    throw new RefusedError(
      'data-refused',
      `expected samples of ${wanted} values for shape ${shown(asked)}, got ${given}${raw.columns ? ' columns' : ` in shape ${shown(raw.shape)}`}`,
      raw.columns && given > wanted
        ? [`columns: ${excerpt(raw.columns)}`, 'name the right ones with --columns']
        : [],
    );
  }
  const [one, other] = [asked, raw.shape].map((axes) => axes.filter((axis) => axis !== 1).join());
  // As many values in another order would be attacked without complaint, as noise.
  if (raw.shape.length > 1 && asked.length > 1 && one !== other) {
    throw new RefusedError(
      'data-refused',
      `expected samples of shape ${shown(asked)}, got ${shown(raw.shape)}: transpose the array, so that its axes are the model's`,
    );
  }
  return asked;
}

function classLabels(
  { labels }: RawSamples,
  { classes: named, classCount }: SampleOptions,
  note: (text: string) => void,
): { readonly classes: SampleSet['classes']; readonly labels: Uint32Array } {
  const classes = named ?? classesOf(labels, classCount, note);
  if (classCount !== undefined && classes.length !== classCount) {
    throw new RefusedError(
      'data-refused',
      `expected ${classCount} classes, as the model has, got ${classes.length}: ${excerpt(classes)}; give them in the model's order with --classes`,
    );
  }
  const indices = new Map(classes.map((name, index) => [String(name), index]));
  if (indices.size !== classes.length) throw new RefusedError('usage', 'expected each class once');
  const unknown = [...new Set(labels.map(String).filter((label) => !indices.has(label)))];
  if (unknown.length > 0) {
    throw new RefusedError(
      'data-refused',
      `expected labels among the classes ${excerpt(classes)}, got ${excerpt(unknown)}; give the classes in the model's order with --classes`,
    );
  }
  return { classes, labels: Uint32Array.from(labels, (label) => indices.get(String(label))!) };
}

/** Integers from 0 are class indices; anything else is put in order. */
function classesOf(
  labels: RawSamples['labels'],
  classCount: number | undefined,
  note: (text: string) => void,
): SampleSet['classes'] {
  const seen = [...new Set(labels.map(String))];
  if (seen.every((label) => /^(0|[1-9]\d{0,9})$/.test(label))) {
    const largest = seen.reduce((most, label) => Math.max(most, Number(label)), 0);
    if (largest >= MAXIMUM_CLASSES) {
      throw new RefusedError(
        'data-refused',
        `expected fewer than ${MAXIMUM_CLASSES} classes, got label ${largest}`,
      );
    }
    return Array.from({ length: Math.max(classCount ?? 0, largest + 1) }, (_, index) => index);
  }
  const whole = seen.every((label) => /^-?\d{1,9}$/.test(label));
  const sorted = seen.sort((one, other) => (whole ? Number(one) - Number(other) : one < other ? -1 : 1));
  note(`Classes are the labels, in order: ${excerpt(sorted)}. Set them with --classes.`);
  return sorted;
}

function expectFinite({ ids, values }: RawSamples): void {
  const size = values.length / ids.length;
  const at = values.findIndex((value: number) => !Number.isFinite(Math.fround(value)));
  if (at < 0) return;
  throw new RefusedError(
    'data-refused',
    `Sample ${ids[Math.floor(at / size)]}: expected finite values that fit float32, got ${values[at]} at ${at % size}.`,
  );
}

function scaled({ ids, values }: RawSamples, { low, high, unit }: ValidRange): Float32Array {
  const size = values.length / ids.length;
  const inputs = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const i = at % size;
    // The division is done in double precision and rounded once.
    inputs[at] = unit[i] ? (values[at]! - low[i]!) / (high[i]! - low[i]!) : values[at]!;
  }
  return inputs;
}

function expectInside({ samples, minimum, maximum }: SampleSet, { values, columns }: RawSamples): void {
  const size = minimum.length;
  const details: string[] = [];
  for (let at = 0; at < samples.inputs.length && details.length < MAXIMUM_DETAILS; at++) {
    const i = at % size;
    const value = samples.inputs[at]!;
    if (minimum[i]! <= value && value <= maximum[i]!) continue;
    details.push(
      `sample ${samples.ids[Math.floor(at / size)]}, ${columns?.[i] ?? `value ${i}`}: ${values[at]}`,
    );
  }
  if (details.length > 0) {
    throw new RefusedError(
      'data-refused',
      'expected values inside the valid range: correct --range or the data',
      details,
    );
  }
}

function excerpt(names: readonly (string | number)[]): string {
  return `${names.slice(0, 10).join(', ')}${names.length > 10 ? `, … (${names.length})` : ''}`;
}
