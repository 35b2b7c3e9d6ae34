import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inspectionDetectors } from '../../src/core/spec/inspection.js';
import { assay } from '../cli/assay.js';
import { readersFolder } from './readers-folder.js';

const guide = readFileSync(path.resolve(__dirname, '../../docs/poisoning.md'), 'utf8');

describe('the guide to looking for poison', () => {
  it('shows a command that does what it says', async () => {
    const words = /^ {4}assay (.+)$/m.exec(guide)![1]!.split(' ');
    const folder = readersFolder();
    try {
      const { exit, stdout, stderr } = await assay(folder, ...words);
      expect([exit, stderr]).toEqual([0, '']);
      expect(stdout).toContain('near-duplicates');
      expect(existsSync(path.join(folder, 'suspects.jsonl'))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('explains every detector that a lifecycle can ask for', () => {
    for (const name of inspectionDetectors) expect(guide).toContain(`\`${name}\``);
  });
});
