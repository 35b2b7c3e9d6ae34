import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { gatesSchema, servedSmoothingSchema } from '../../src/core/spec/index.js';
import { assay } from '../cli/assay.js';
import { readersFolder } from './readers-folder.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/certify.md'), 'utf8');
const commands = [...guide.matchAll(/^ {4}assay ([^#\n]+)/gm)].map((match) => match[1]!.trim().split(/\s+/));

describe('the guide to certifying a model', () => {
  it('shows commands that do what it says', async () => {
    expect(commands.length).toBeGreaterThanOrEqual(4);
    const folder = readersFolder();
    try {
      for (const words of commands) {
        const { exit, stdout, stderr } = await assay(folder, ...words);
        expect([words, exit, stderr]).toEqual([words, 0, '']);
        expect(stdout).toMatch(
          words.includes('--json') ? /"status":"pass"/ : /^Certified accuracy at radius /m,
        );
      }
      expect(existsSync(path.join(folder, 'certificates.html'))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('names only options that exist', async () => {
    const { stdout } = await assay(root, 'certify', '--help');
    const named = new Set(guide.match(/--[a-z0-9]+/g));
    expect(named.size).toBeGreaterThan(10);
    for (const option of [...named].filter((name) => name !== '--json')) expect(stdout).toContain(option);
  });

  it('writes lifecycles as they are read', () => {
    const gate = /- \{ gate: certified.*\}/.exec(guide)?.[0];
    expect(gate).toBeDefined();
    // The braces of YAML's flow style, as JSON.
    const json = (text: string) =>
      JSON.parse(text.replace(/([a-z0-9]+):/g, '"$1":').replace(/: ([a-z][a-z0-9]*)/g, ': "$1"'));
    expect(gatesSchema.safeParse([json(gate!.slice(2))]).success).toBe(true);
    const smoothing = /smoothing: (\{ sigma: 0.5, samples.*\})/.exec(guide)?.[1];
    expect(servedSmoothingSchema.safeParse(json(smoothing!)).success).toBe(true);
  });
});
