import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { assay } from '../cli/assay.js';
import { readersFolder } from './readers-folder.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/attack.md'), 'utf8');
const commands = [...guide.matchAll(/^ {4}assay ([^#\n]+)/gm)].map((match) => match[1]!.trim().split(/\s+/));

describe('the guide to attacking a model', () => {
  it('shows commands', () => {
    expect(commands.length).toBeGreaterThanOrEqual(8);
  });

  it.each(commands.map((words) => [words.join(' '), words] as const))(
    'shows “assay %s”, which does what it says',
    async (_, words) => {
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
            'evidence/evidence.parquet',
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
    },
  );

  it('names only options that exist', async () => {
    const helps = await Promise.all(['attack', 'evidence'].map((name) => assay(root, name, '--help')));
    const stdout = helps.map((help) => help.stdout).join();
    const named = new Set(guide.match(/--[a-z]+/g));
    expect(named.size).toBeGreaterThan(12);
    for (const option of [...named].filter((name) => name !== '--json')) expect(stdout).toContain(option);
  });
});
