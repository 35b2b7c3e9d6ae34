import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { npyOf, npzOf } from '../core/data/numpy-files.js';
import { defended } from '../core/evaluation/zoo/defence.js';
import { noiseOf } from '../core/evaluation/zoo/defences/randomness.js';

const root = path.resolve(__dirname, '../..');

/** A folder as the reader of a guide has it. */
export function readersFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'assay-guide-'));
  copyFileSync(
    path.join(root, 'test/core/attacks/fixtures/digits-cnn.onnx'),
    path.join(folder, 'model.onnx'),
  );
  copyFileSync(path.join(folder, 'model.onnx'), path.join(folder, 'parent.onnx'));
  const model = readFileSync(path.join(folder, 'model.onnx'));
  writeFileSync(path.join(folder, 'noisy.onnx'), defended(model, { before: noiseOf(0.05) }));
  copyFileSync(path.join(root, 'examples/digits/lifecycle.yaml'), path.join(folder, 'lifecycle.yaml'));
  const source = readFileSync(path.join(root, 'examples/digits/digits.csv'), 'utf8');
  const [header, ...rows] = source.trim().split(/\r?\n/);
  const some = rows.slice(0, 30);
  const cells = some.map((row) => row.split(',').slice(1).map(Number));
  const x = npyOf(
    '<f4',
    [30, 1, 8, 8],
    Float32Array.from(cells.flatMap((row) => row.slice(0, 64).map((value) => value / 16))),
  );
  const y = npyOf(
    '<i8',
    [30],
    BigInt64Array.from(cells, (row) => BigInt(row[64]!)),
  );
  writeFileSync(path.join(folder, 'test.npz'), npzOf({ x, y }));
  writeFileSync(path.join(folder, 'x.npy'), x);
  writeFileSync(path.join(folder, 'y.npy'), y);
  writeFileSync(path.join(folder, 'digits.csv'), [header, ...some].join('\n'));
  return folder;
}
