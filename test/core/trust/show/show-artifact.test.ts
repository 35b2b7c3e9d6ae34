import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Digest } from '../../../../src/core/spec/index.js';
import { digestOf } from '../../../../src/core/store/index.js';
import { attest } from '../../../../src/core/trust/attest.js';
import { announceRevocation, attestRevocation, showArtifact } from '../../../../src/core/trust/index.js';
import { approvalPredicate } from '../../../../src/core/trust/statements/approval.js';
import { buildChain, type ChainFixture, now, removeChain } from '../chain-fixture.js';

describe('showing an artifact', () => {
  let fixture: ChainFixture;
  beforeEach(async () => {
    fixture = await buildChain();
  });
  afterEach(() => removeChain(fixture));
  const show = (digest: Digest, policy = fixture.policy) => showArtifact(fixture.store, policy, digest, now);
  const fileOf = (digest: Digest) => {
    const hex = digest.slice('sha256:'.length);
    return path.join(fileURLToPath(fixture.store.url), 'objects/blobs', hex.slice(0, 2), hex);
  };

  it('lists all that was said of a model, by whom, and what it was made of and became', async () => {
    const { model, snapshot, release, signers, chain } = fixture;
    const { kind, statements, madeOf, usedBy } = await show(model);
    expect(kind).toBe('model');
    const said = statements.map(({ title, verified, signer }) => [title, verified, signer]);
    expect(said).toEqual(
      expect.arrayContaining([
        ['model signature (OMS)', true, signers.model.keyId],
        ['training provenance (SLSA)', true, signers.provenance.keyId],
        ['test result', true, signers.test.keyId],
        ['verification summary (SLSA VSA)', true, signers.verification.keyId],
        ['release', true, signers.release.keyId],
      ]),
    );
    expect(statements.filter(({ title }) => title === 'test result')).toHaveLength(chain.tests.length);
    expect(madeOf).toContainEqual({ relation: 'snapshot', digest: snapshot });
    expect(usedBy).toContainEqual({
      relation: 'digits revision 1 (release) for ada: first',
      digest: release,
    });
  });

  it('lists the data statement of a snapshot, its source, and the models that came of it', async () => {
    const { kind, statements, madeOf, usedBy } = await show(fixture.snapshot);
    expect(kind).toBe('folder');
    expect(statements.find(({ verified, title }) => verified && title === 'data statement')).toMatchObject({
      envelope: fixture.chain.data,
      at: now.toISOString(),
    });
    expect(madeOf).toEqual([{ relation: 'source', digest: digestOf('digits.csv') }]);
    expect(usedBy.map(({ digest }) => digest)).toEqual([fixture.model]);
  });

  it('lists the chain of a release behind its own statement', async () => {
    const { statements, kind } = await show(fixture.release);
    expect(kind).toBe('release');
    const { data, signature, provenance, tests, verification } = fixture.chain;
    expect(statements.map(({ envelope }) => envelope)).toEqual(
      expect.arrayContaining([fixture.release, data, signature, provenance, ...tests, verification]),
    );
    expect(statements.every(({ verified }) => verified)).toBe(true);
  });

  it('shows what was tampered with, and believes nothing of it', async () => {
    const { chain, model, store } = fixture;
    const [test] = chain.tests;
    const bundle = JSON.parse(await readFile(fileOf(test!), 'utf8'));
    const statement = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
    bundle.dsseEnvelope.payload = Buffer.from(statement.replace('0.97', '0.99')).toString('base64');
    const forged = await store.putBlob(Buffer.from(JSON.stringify(bundle)));
    await store.attach(model, forged);
    const other = await store.putBlob(Buffer.from('{}'));
    await store.attach(model, other);
    // The bytes of a statement changed in place: the store itself refuses to read it.
    const bytes = await readFile(fileOf(chain.verification));
    bytes[100]! ^= 1;
    await rm(fileOf(chain.verification));
    await writeFile(fileOf(chain.verification), bytes);

    const { statements } = await show(model);
    const of = (envelope: Digest) => statements.find((shown) => shown.envelope === envelope);
    expect(of(forged)).toMatchObject({
      verified: false,
      title: 'test result',
      failure: { code: 'signature-invalid' },
    });
    expect(of(other)).toMatchObject({ verified: false, failure: { code: 'bundle-invalid' } });
    expect(of(chain.verification)).toMatchObject({ verified: false, failure: { code: 'blob-corrupt' } });
    expect(of(test!)).toMatchObject({ verified: true });
  });

  it('believes no statement that was filed under what it does not speak of', async () => {
    const { model, chain, store, snapshot } = fixture;
    await store.attach(snapshot, chain.verification);
    await store.attach(snapshot, chain.signature);
    const shown = await show(snapshot);
    const of = (envelope: Digest) => shown.statements.find((one) => one.envelope === envelope);
    expect(of(chain.verification)).toMatchObject({ verified: false, failure: { code: 'inputs-mismatch' } });
    expect(of(chain.signature)).toMatchObject({ verified: false, failure: { code: 'model-mismatch' } });
    expect(
      (await show(model)).statements.every(({ title, verified }) => verified || title !== 'release'),
    ).toBe(true);
  });

  it('asks whether the signer may say such a thing, there, still', async () => {
    const { policy, model, release, store, signers } = fixture;
    const approval = { decision: 'approved', person: 'eve', reason: '', endpoint: 'digits' } as const;
    const decided = { ...approval, verification: fixture.chain.verification, decidedAt: now.toISOString() };
    const envelope = await attest(store, signers.test, approvalPredicate, 'model', model, decided);
    const code = async (other: typeof policy, one: Digest) =>
      (await show(model, other)).statements.find((shown) => shown.envelope === one)?.failure?.code;
    expect(await code(policy, envelope)).toBe('key-not-allowed');
    const elsewhere = policy.keys.map((key) => ({ ...key, endpoints: ['another'] }));
    expect(await code({ ...policy, keys: elsewhere }, release)).toBe('key-not-allowed');
    expect(await code({ ...policy, revoked: [release] }, release)).toBe('data-revoked');
    expect(await code({ ...policy, expires: '2020-01-01T00:00:00.000Z' }, release)).toBe(
      'trust-policy-invalid',
    );
  });

  it('says that data was revoked, and by whom', async () => {
    const { store, signers, snapshot } = fixture;
    const revocation = { person: 'grace', reason: 'poisoned' };
    await announceRevocation(
      store,
      await attestRevocation(store, signers.revocation, snapshot, revocation, now),
    );
    expect((await show(snapshot)).revoked).toEqual(['grace: poisoned']);
  });

  it('finds digests by how they begin', async () => {
    const { store, model } = fixture;
    const hex = model.slice('sha256:'.length);
    expect(await store.findDigests(hex.slice(0, 8))).toEqual([model]);
    expect(await store.findDigests(model)).toEqual([model]);
    // A source is not in this store; a statement that is filed under it is.
    expect(await store.findDigests(digestOf('digits.csv').slice(0, 20))).toEqual([digestOf('digits.csv')]);
    for (const beginning of [hex.slice(0, 7), '../../../etc', `${hex}0`, hex.slice(0, 8).toUpperCase()]) {
      await expect(store.findDigests(beginning)).rejects.toMatchObject({ code: 'digest-invalid' });
    }
    await expect(show(digestOf('nothing'))).rejects.toMatchObject({ code: 'not-found' });
  });
});
