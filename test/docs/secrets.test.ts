import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readKeyRing } from '../../src/core/secrets/index.js';
import { assay } from '../cli/assay.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/secrets.md'), 'utf8');

describe('the guide to secrets', () => {
  it('shows commands and options that exist', async () => {
    const commands = [...guide.matchAll(/^ {4}assay (\S+)(.*)$/gm)].map(([, name, rest]) => ({ name, rest }));
    expect(commands.map(({ name }) => name)).toEqual(['up', 'codec']);
    for (const { name, rest } of commands) {
      const { exit, stdout } = await assay(root, name!, '--help');
      expect(exit).toBe(0);
      for (const [option] of rest!.matchAll(/--[a-z-]+/g)) expect(stdout).toContain(option);
    }
  });

  it('shows keys in the form that is read', async () => {
    const shown = [...guide.matchAll(/ASSAY_PAYLOAD_KEYS=(\S+)/g)].map(([, text]) => text!);
    expect(shown).toHaveLength(2);
    process.env.PAYLOAD_KEY = 'ab'.repeat(32);
    for (const text of shown) await readKeyRing(text.replaceAll(/file:[^,]+/g, 'env:PAYLOAD_KEY'));
  });

  it('says true things of a codec server that nobody guards', async () => {
    const open = ['codec', '--origin', 'http://localhost:8233', '--host', '0.0.0.0'];
    const { exit, stderr } = await assay(root, ...open);
    expect(exit).toBe(2);
    expect(stderr).toContain('--token-issuers is needed');
    const keyless = await assay(root, 'codec', '--origin', 'http://localhost:8233');
    expect([keyless.exit, keyless.stderr]).toEqual([
      2,
      expect.stringContaining('ASSAY_PAYLOAD_KEYS is not set'),
    ]);
  });
});
