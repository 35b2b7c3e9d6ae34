import { readFileSync } from 'node:fs';
import type { SuspectData } from '../../../src/core/poisoning/index.js';
import { permutation, randomStream } from '../../../src/core/random/index.js';

const [header, ...rows] = readFileSync('examples/digits/digits.csv', 'utf8')
  .trimEnd()
  .split(/\r?\n/)
  .map((line) => line.split(','));
const pixels = header!.flatMap((name, column) => (/^p\d\d$/.test(name) ? [column] : []));

/** Some of the handwritten digits, drawn by a seed. */
export function drawDigits(count: number, seed: number): SuspectData {
  const drawn = Array.from(
    permutation(randomStream(seed, 'draw'), rows.length).slice(0, count),
    (i) => rows[i]!,
  );
  return {
    ids: drawn.map((row) => row[header!.indexOf('id')]!),
    inputs: Float32Array.from(drawn.flatMap((row) => pixels.map((column) => Number(row[column]) / 16))),
    labels: Uint32Array.from(drawn, (row) => Number(row[header!.indexOf('label')])),
    minimum: new Float32Array(64),
    maximum: new Float32Array(64).fill(1),
    shape: [1, 8, 8],
    classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  };
}
