import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');
const main = path.join(root, 'dist/cli/main.js');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

/** Words of every `assay …` line in a code block, without its comment. */
const commands = [...readme.matchAll(/^ {4}assay ([^#\n]+)/gm)].map((match) => match[1]!.trim().split(/\s+/));

describe('the README', () => {
  it('shows only commands and options that exist', () => {
    expect(commands.length).toBeGreaterThan(5);
    for (const words of commands) {
      const path = words.filter((word) => /^[a-z]+$/.test(word)).filter((_, index) => index < 3);
      // The longest prefix of words that is a command answers to --help with its own usage.
      const verbs = ['keys', 'data'].includes(words[0]!) ? path : path.slice(0, 1);
      const { status, stdout } = spawnSync(process.execPath, [main, ...verbs, '--help'], {
        encoding: 'utf8',
      });
      expect([verbs, status]).toEqual([verbs, 0]);
      expect(stdout).toContain(`Usage: assay ${verbs.join(' ')}`);
      for (const option of words.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
    }
  });

  it('links only to files that exist', () => {
    for (const [, target] of readme.matchAll(/\]\(([^)#]+)\)/g))
      expect([target, existsSync(path.join(root, target!))]).toEqual([target, true]);
  });

  it('names the two commands that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(readme).toContain('npm ci && npm run demo');
    expect(readme).toContain('npm ci && npm test');
    expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) });
  });
});
