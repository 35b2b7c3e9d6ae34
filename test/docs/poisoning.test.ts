import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { lifecycleSchema } from '../../src/core/spec/index.js';
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

  it('shows a training in partitions that is accepted together with the rest of a lifecycle', () => {
    const digits = readFileSync(path.resolve(__dirname, '../../examples/digits/lifecycle.yaml'), 'utf8');
    const shown = [...guide.matchAll(/(?:^ {4}[^\n]*\n)+/gm)]
      .map(([block]) => block.replace(/^ {4}/gm, ''))
      .filter((block) => block.startsWith('training:'));
    expect(shown).toHaveLength(1);
    const lifecycle = { ...(parse(digits) as object), ...(parse(shown[0]!) as object) };
    expect(lifecycleSchema.safeParse(lifecycle)).toMatchObject({ success: true });
    const unproved = {
      ...lifecycle,
      training: { ...lifecycleSchema.parse(lifecycle).training, reproduce: false },
    };
    expect(lifecycleSchema.safeParse(unproved)).toMatchObject({ success: false });
  });

  it('explains every detector that a lifecycle can ask for', () => {
    for (const name of inspectionDetectors) expect(guide).toContain(`\`${name}\``);
  });
});
