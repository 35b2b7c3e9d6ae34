import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { readTokenIssuers } from '../../src/core/serving/index.js';
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
    expect(shown).toHaveLength(3);
    let lifecycle = digits;
    for (const block of shown) {
      lifecycle = { ...lifecycle, ...block };
      expect(lifecycleSchema.safeParse(lifecycle)).toMatchObject({ success: true });
    }
  });

  it('shows commands that work', async () => {
    const gateways = blocks
      .filter((block) => block.startsWith('node dist/gateway/main.js'))
      .map((block) => gatewayArguments(block.trim().split(/\s+/).slice(2)));
    expect(gateways).toMatchObject([
      { tls: { certificate: 'server.pem', clientAuthority: 'clients.pem' } },
      { tokenIssuers: 'issuers.json' },
      { noiseSecret: 'env:ASSAY_NOISE' },
      { batch: 32 },
    ]);
    const pki = JSON.parse(readFileSync(path.join(root, 'test/gateway/fixtures/tls.json'), 'utf8')) as Record<
      'acme' | 'mallory',
      { readonly certificate: string }
    >;
    writeFileSync(path.join(folder, 'acme.pem'), pki.acme.certificate);
    writeFileSync(path.join(folder, 'acme-app.pem'), pki.mallory.certificate);
    const commands = blocks.flatMap((block) =>
      [...block.matchAll(/^assay (.+)$/gm)].map((match) => match[1]!),
    );
    expect(commands).toHaveLength(9);
    const shown: string[] = [];
    for (const command of commands) {
      const { exit, stdout, stderr } = await assay(folder, ...command.split(/\s+/));
      expect([command, exit, stderr]).toEqual([command, 0, '']);
      shown.push(stdout);
    }
    expect(shown.filter((text) => /assay_[A-Za-z0-9_-]{43}/.test(text))).toHaveLength(4);
    const { stdout } = await assay(folder, '--json', 'keys', 'client', 'list');
    const listed = JSON.parse(stdout) as { name: string; scope?: string; keys: { expiresAt?: string }[] }[];
    expect(listed.map(({ name, keys }) => [name, keys.length])).toEqual([
      ['acme', 2],
      ['acme-batch', 0],
      ['acme-app', 1],
      ['nightly-batch', 0],
      ['anyone', 0],
    ]);
    const issuers = blocks.filter((block) => block.startsWith('['));
    expect(issuers.map((block) => readTokenIssuers(block).map(({ name }) => name))).toEqual([
      ['corp', 'partner'],
    ]);
    expect(listed[0]).toMatchObject({ scope: 'partner', keys: [{ expiresAt: expect.any(String) }, {}] });
  });
});
