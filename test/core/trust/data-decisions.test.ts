import { digestOf } from '../../../src/core/store/index.js';
import {
  attestData,
  attestRevocation,
  attestRowRelease,
  attestSource,
  createTrustPolicy,
  generateSigningKey,
  readDataDecisions,
  readSigner,
  type TrustPolicy,
  traceLineage,
  verifyRelease,
} from '../../../src/core/trust/index.js';
import {
  buildChain,
  type ChainFixture,
  checks,
  endpoint,
  now,
  releaseWith,
  removeChain,
  testRows,
} from './chain-fixture.js';

const source = digestOf('digits.csv');
const why = { person: 'ada', reason: 'poisoned by a rater' };
let fixture: ChainFixture;
beforeEach(async () => {
  fixture = await buildChain();
});
afterEach(() => removeChain(fixture));

async function codesOf(release = fixture.release, policy: TrustPolicy = fixture.policy) {
  const verification = await verifyRelease(fixture.store, policy, release, { at: now });
  return verification.ok ? [] : verification.failures.map(({ link, code }) => `${link} ${code}`);
}

describe('a revocation', () => {
  it.each(['source', 'snapshot'] as const)(
    'of a %s takes down every release that came of it',
    async (what) => {
      expect(await codesOf()).toEqual([]);
      const data = what === 'source' ? source : fixture.snapshot;
      await attestRevocation(fixture.store, fixture.signers.revocation, data, why, now);
      expect(await codesOf()).toEqual(['data revoked']);
      const verification = await verifyRelease(fixture.store, fixture.policy, fixture.release, { at: now });
      expect(verification.ok === false && verification.failures[0]!.message).toContain(
        'ada: poisoned by a rater',
      );
    },
  );

  it('by a key without that role, or that nobody knows, stops nobody', async () => {
    const stranger = readSigner((await generateSigningKey()).privateKey);
    await attestRevocation(fixture.store, stranger, source, why, now);
    await attestRevocation(fixture.store, fixture.signers.data, source, why, now);
    await fixture.store.attach(source, await fixture.store.putBlob(Buffer.from('no statement')));
    expect(await codesOf()).toEqual([]);
  });

  it('of other data is of no concern', async () => {
    await attestRevocation(fixture.store, fixture.signers.revocation, digestOf('others.csv'), why, now);
    expect(await codesOf()).toEqual([]);
  });

  it('is found before data is read again', async () => {
    const query = { now, endpoint };
    expect((await readDataDecisions(fixture.store, fixture.policy, source, query)).revocations).toEqual([]);
    await attestRevocation(fixture.store, fixture.signers.revocation, source, why, now);
    const { revocations } = await readDataDecisions(fixture.store, fixture.policy, source, query);
    expect(revocations.map(({ predicate }) => predicate.reason)).toEqual([why.reason]);
  });
});

/** A release whose data statement says that rows were let in. */
async function releaseWithDecision(decision: `sha256:${string}`) {
  const { store, signers, snapshot } = fixture;
  const record = {
    snapshot,
    source,
    rows: { train: 700, validation: 100, test: testRows },
    classes: 2,
    features: 2,
    account: {
      parent: null,
      files: {},
      transforms: [],
      checks: [],
      read: 1000,
      refused: 0,
      releases: [decision],
    },
  };
  return releaseWith(fixture, {
    chain: { data: await attestData(store, signers.data, record, checks, now) },
  });
}

describe('rows that were let in', () => {
  const rows = [digestOf('a row')];
  const quarantine = digestOf('a quarantine set');

  it('are so by the statement of somebody who may, about this source', async () => {
    const { store, signers } = fixture;
    const decision = await attestRowRelease(store, signers.waiver, quarantine, { source, rows, ...why }, now);
    expect(await codesOf(await releaseWithDecision(decision))).toEqual([]);
    const found = await readDataDecisions(store, fixture.policy, source, { now, endpoint });
    expect(found.releases.map(({ envelope, predicate }) => [envelope, predicate.rows])).toEqual([
      [decision, rows],
    ]);
  });

  it('are not by a statement of anybody else, or about other data', async () => {
    const { store, signers } = fixture;
    const order = { source, rows, ...why };
    const unasked = await attestRowRelease(store, signers.data, quarantine, order, now);
    expect(await codesOf(await releaseWithDecision(unasked))).toEqual(['data key-not-allowed']);
    const other = { ...order, source: digestOf('others.csv') };
    const mistaken = await attestRowRelease(store, signers.waiver, quarantine, other, now);
    expect(await codesOf(await releaseWithDecision(mistaken))).toEqual(['data release-mismatch']);
    expect(await codesOf(await releaseWithDecision(digestOf('nothing')))).toEqual(['data blob-missing']);
    expect((await readDataDecisions(store, fixture.policy, source, { now, endpoint })).releases).toEqual([]);
  });
});

describe('a source', () => {
  it('has to be signed where the policy asks for it', async () => {
    const { store, signers, policy } = fixture;
    const strict: TrustPolicy = {
      ...policy,
      endpoints: { [endpoint]: { ...policy.endpoints[endpoint], sources: 'signed' } },
    };
    expect(await codesOf(fixture.release, strict)).toEqual(['data source-unsigned']);
    const about = { supplier: 'UCI', name: 'digits', license: 'CC-BY-4.0' };
    await attestSource(store, readSigner((await generateSigningKey()).privateKey), source, about, now);
    expect(await codesOf(fixture.release, strict)).toEqual(['data source-unsigned']);
    await attestSource(store, signers.source, source, about, now);
    expect(await codesOf(fixture.release, strict)).toEqual([]);
  });
});

describe('lineage', () => {
  it('leads from any artifact down to the source and up to the releases', async () => {
    const { store, policy, signers, snapshot, model, release } = fixture;
    await attestSource(store, signers.source, source, { supplier: 'UCI', name: 'digits' }, now);
    await attestRevocation(store, signers.revocation, source, why, now);
    const edges = [
      [source, snapshot, 'ingested'],
      [snapshot, model, 'trained'],
      [model, release, 'released'],
    ];
    for (const start of [source, snapshot, model]) {
      const found = await traceLineage(store, policy, start, now);
      expect(found.edges.map(({ from, to, kind }) => [from, to, kind]).sort()).toEqual([...edges].sort());
      const byDigest = new Map(found.nodes.map((node) => [node.digest, node]));
      expect(byDigest.get(source)).toMatchObject({
        kind: 'source',
        about: ['digits of UCI'],
        revoked: ['ada: poisoned by a rater'],
      });
      expect(byDigest.get(release)).toMatchObject({
        kind: 'release',
        about: ['digits revision 1 (release)'],
      });
      expect(byDigest.get(snapshot)).toMatchObject({ kind: 'snapshot', about: ['1000 rows of 1000'] });
    }
  });

  it('believes nobody but the policy', async () => {
    const stranger = createTrustPolicy([{ publicKey: (await generateSigningKey()).publicKey }]);
    await expect(traceLineage(fixture.store, stranger, source, now)).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
