import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { lifecycleSchema } from '../../src/core/spec/index.js';
import { gatewayArguments } from '../../src/gateway/arguments.js';
import { assay } from '../cli/assay.js';

const root = path.resolve(__dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/serve.md'), 'utf8');
const blocks = [...guide.matchAll(/(?:^ {4}[^\n]*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, ''));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'assay-serve-guide-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the guide to serving', () => {
  it('shows lifecycle blocks that are accepted together with the rest of a lifecycle', () => {
    const digits = parse(readFileSync(path.join(root, 'examples/digits/lifecycle.yaml'), 'utf8')) as object;
    const shown = blocks
      .filter((block) => /^(serving|gates):/.test(block))
      .map((block) => parse(block) as object);
    expect(shown).toHaveLength(2);
    let lifecycle = digits;
    for (const block of shown) {
      lifecycle = { ...lifecycle, ...block };
      expect(lifecycleSchema.safeParse(lifecycle)).toMatchObject({ success: true });
    }
  });

  it('shows commands that work', async () => {
    const [gateway] = blocks.filter((block) => block.startsWith('node dist/gateway/main.js'));
    expect(gatewayArguments(gateway!.trim().split(/\s+/).slice(2)).noiseSecret).toBe('env:ASSAY_NOISE');
    const commands = blocks.flatMap((block) =>
      [...block.matchAll(/^assay (.+)$/gm)].map((match) => match[1]!),
    );
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const { exit, stdout } = await assay(folder, ...command.split(/\s+/));
      expect(exit).toBe(0);
      expect(stdout).toMatch(/assay_[A-Za-z0-9_-]{43}/);
    }
    const { stdout } = await assay(folder, 'keys', 'client', 'list');
    expect(stdout).toContain('acme  partner  digits');
  });
});
