import { readFileSync } from 'node:fs';
import type { Samples } from '../../../../src/core/attacks/index.js';

/** Shape of one sample: an 8×8 picture, ink from 0 to 1. */
export const SHAPE = [1, 8, 8] as const;
export const SIZE = 64;
export const CLASSES = 10;

export interface Digits {
  readonly train: Samples;
  readonly validation: Samples;
  readonly test: Samples;
}

/** The handwritten digits of the example, in sevenths, a tenth and a fifth that depend on nothing but the order of the file. */
export function readDigits(): Digits {
  const [header, ...lines] = readFileSync('examples/digits/digits.csv', 'utf8').trimEnd().split(/\r?\n/);
  const names = header!.split(',');
  const pixels = names.flatMap((name, column) => (/^p\d\d$/.test(name) ? [column] : []));
  const rows = lines.map((line) => line.split(','));
  const part = (holds: (place: number) => boolean): Samples => {
    const chosen = rows.filter((_, i) => holds(i % 10));
    return {
      ids: chosen.map((row) => row[names.indexOf('id')]!),
      inputs: Float32Array.from(chosen.flatMap((row) => pixels.map((column) => Number(row[column]) / 16))),
      labels: Uint32Array.from(chosen, (row) => Number(row[names.indexOf('label')])),
    };
  };
  return {
    train: part((place) => place < 7),
    validation: part((place) => place === 7),
    test: part((place) => place > 7),
  };
}

/** The first few samples, or every so-manieth. */
export function take({ ids, inputs, labels }: Samples, count: number): Samples {
  return {
    ids: ids.slice(0, count),
    inputs: inputs.slice(0, count * SIZE),
    labels: labels.slice(0, count),
  };
}
