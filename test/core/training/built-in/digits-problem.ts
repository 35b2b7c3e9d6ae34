import { readFileSync } from 'node:fs';
import { builtInParametersSchema } from '../../../../src/core/spec/index.js';
import { layeredNetwork } from '../../../../src/core/training/built-in/layered-network.js';
import type { Problem } from '../../../../src/core/training/built-in/problem.js';

/** Handwritten digits, 8×8 in [0, 1]: the first rows to train on, the next ones to validate on. */
export function digitsProblem(
  given: object,
  rows: { readonly train: number; readonly validation: number },
): Problem {
  const lines = readFileSync('examples/digits/digits.csv', 'utf8').trimEnd().split(/\r?\n/);
  const [header, ...body] = lines.map((line) => line.split(','));
  const pixels = header!.flatMap((name, column) => (/^p\d\d$/.test(name) ? [column] : []));
  const part = (from: number, to: number) => {
    const chosen = body.slice(from, to);
    return {
      ids: chosen.map((row) => row[header!.indexOf('id')]!),
      inputs: Float32Array.from(chosen.flatMap((row) => pixels.map((column) => Number(row[column]) / 16))),
      labels: Uint32Array.from(chosen, (row) => Number(row[header!.indexOf('label')])),
    };
  };
  const parameters = builtInParametersSchema.parse({ batchSize: 32, ...given });
  return {
    network: layeredNetwork(parameters.network as never, [1, 8, 8], 10),
    train: part(0, rows.train),
    validation: part(rows.train, rows.train + rows.validation),
    minimum: new Float32Array(64),
    maximum: new Float32Array(64).fill(1),
    parameters,
    seed: 11,
  };
}
