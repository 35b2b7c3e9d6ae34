import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeTrustPolicy } from '../../src/core/trust/index.js';
import { buildChain, type ChainFixture, removeChain } from '../core/trust/chain-fixture.js';
import { assay } from './assay.js';

describe('assay show', () => {
  let fixture: ChainFixture;
  let folder: string;
  const storeBefore = process.env.ASSAY_STORE;
  beforeAll(async () => {
    fixture = await buildChain();
    folder = mkdtempSync(path.join(tmpdir(), 'assay-show-'));
    mkdirSync(path.join(folder, '.assay'));
    writeFileSync(path.join(folder, '.assay', 'trust.yaml'), writeTrustPolicy(fixture.policy));
    process.env.ASSAY_STORE = fixture.store.url;
  });
  afterAll(async () => {
    if (storeBefore === undefined) delete process.env.ASSAY_STORE;
    else process.env.ASSAY_STORE = storeBefore;
    rmSync(folder, { recursive: true, force: true });
    await removeChain(fixture);
  });

  it('takes the beginning of a digest, and tells people and programs the same', async () => {
    const beginning = fixture.model.slice('sha256:'.length, 20);
    const told = await assay(folder, 'show', beginning);
    expect(told).toMatchObject({ exit: 0, stderr: '' });
    expect(told.stdout).toContain(`model ${fixture.model}`);
    expect(told.stdout).toContain(`by ${fixture.signers.release.keyId}`);
    const { stdout } = await assay(folder, '--json', 'show', fixture.model);
    const shown = JSON.parse(stdout);
    expect(shown.digest).toBe(fixture.model);
    for (const { title } of shown.statements) expect(told.stdout).toContain(title);
  });

  it('lets no statement move the cursor of a terminal', async () => {
    const { store, snapshot } = fixture;
    const statement = { predicateType: 'a\u001b[2Jb', subject: [], predicate: {} };
    const bundle = {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: '0'.repeat(64) } },
      dsseEnvelope: {
        payloadType: 'application/vnd.in-toto+json',
        payload: Buffer.from(JSON.stringify(statement)).toString('base64'),
        signatures: [{ sig: '' }],
      },
    };
    await store.attach(snapshot, await store.putBlob(Buffer.from(JSON.stringify(bundle))));
    const { stdout, exit } = await assay(folder, 'show', snapshot);
    expect(exit).toBe(0);
    expect(stdout).toContain('✗ a\ufffd[2Jb');
  });

  it('refuses what it does not know, what is too short, and what is ambiguous', async () => {
    expect(await assay(folder, 'show', 'f'.repeat(64))).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('not-found'),
    });
    expect(await assay(folder, 'show', 'abc')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('digest-invalid'),
    });
    const twins = [`sha256:${'1'.repeat(64)}`, `sha256:${'1'.repeat(63)}2`] as const;
    for (const twin of twins) await fixture.store.attach(twin as typeof fixture.model, fixture.release);
    const { exit, stderr } = await assay(folder, 'show', '1'.repeat(8));
    expect(exit).toBe(2);
    expect(stderr).toContain('digest-ambiguous');
    for (const twin of twins) expect(stderr).toContain(twin);
  });
});
