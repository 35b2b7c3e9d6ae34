import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assay } from '../cli/assay.js';
import { npyOf, npzOf } from '../core/data/numpy-files.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/attack.md'), 'utf8');
const commands = [...guide.matchAll(/^ {4}assay ([^#\n]+)/gm)].map((match) => match[1]!.trim().split(/\s+/));

/** A folder as the guide's reader has it. */
function readersFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'assay-guide-'));
  copyFileSync(
    path.join(root, 'test/core/attacks/fixtures/digits-cnn.onnx'),
    path.join(folder, 'model.onnx'),
  );
  copyFileSync(path.join(folder, 'model.onnx'), path.join(folder, 'parent.onnx'));
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

describe('the guide to attacking a model', () => {
  it('shows commands that do what it says', async () => {
    expect(commands.length).toBeGreaterThanOrEqual(6);
    for (const words of commands) {
      const folder = readersFolder();
      try {
        // The lifecycle names its own source, which has to be whole.
        if (words.includes('--lifecycle')) {
          copyFileSync(path.join(root, 'examples/digits/digits.csv'), path.join(folder, 'digits.csv'));
        }
        const { exit, stdout, stderr } = await assay(folder, ...words);
        expect([words, exit, stderr]).toEqual([words, 0, '']);
        expect(stdout).toMatch(words.includes('--json') ? /"status":"pass"/ : /^Robust accuracy /m);
        if (words.includes('--html')) {
          for (const file of [
            'report.html',
            'evidence/result.json',
            'evidence/evidence.jsonl',
            'evidence/examples.json',
            'evidence/original.npy',
            'evidence/adversarial.npy',
          ]) {
            expect([file, existsSync(path.join(folder, file))]).toEqual([file, true]);
          }
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });

  it('names only options that exist', async () => {
    const { stdout } = await assay(root, 'attack', '--help');
    const named = new Set(guide.match(/--[a-z]+/g));
    expect(named.size).toBeGreaterThan(12);
    for (const option of [...named].filter((name) => name !== '--json')) expect(stdout).toContain(option);
  });
});
