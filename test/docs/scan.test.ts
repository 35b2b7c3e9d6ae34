import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scanRules } from '../../src/core/onnx/index.js';
import { assay } from '../cli/assay.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/scan.md'), 'utf8');
const commands = [...guide.matchAll(/^ {4}assay ([^#\n]+)/gm)].map((match) => match[1]!.trim().split(/\s+/));

describe('the guide to scanning', () => {
  it('shows commands that work', async () => {
    expect(commands.length).toBeGreaterThanOrEqual(6);
    const folder = mkdtempSync(path.join(tmpdir(), 'assay-scan-guide-'));
    try {
      mkdirSync(path.join(folder, 'models'));
      for (const name of ['model.onnx', 'models/other.onnx']) {
        copyFileSync(path.join(root, 'test/core/attacks/fixtures/digits-cnn.onnx'), path.join(folder, name));
      }
      const results = await Promise.all(commands.map((words) => assay(folder, ...words)));
      expect(results.map(({ exit, stderr }) => [exit, stderr])).toEqual(commands.map(() => [0, '']));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('lists every rule as it is', () => {
    for (const { id, name, level, summary } of scanRules) {
      expect(guide).toContain(`| ${id} | \`${name}\` | ${level} | ${summary} |`);
    }
  });
});
