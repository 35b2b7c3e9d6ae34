import { createControlActivities, type SignedRevision } from '../../src/activities/control.js';
import { endpointRef } from '../../src/core/serving/index.js';
import type { Digest } from '../../src/core/spec/index.js';
import { verifyRelease } from '../../src/core/trust/index.js';
import { type SignedChain, signedChain } from '../gateway/signed-chain.js';
import { attempt } from './attempt.js';

let chain: SignedChain;
beforeEach(async () => {
  chain = await signedChain();
});
afterEach(() => chain.remove());

const activities = () =>
  // Its releases are nobody's: who asks for them is another matter.
  createControlActivities({
    store: chain.store,
    trust: { ...chain.policy, unsigned: { allow: ['run', 'rollback'] } },
    scratch: '',
    identity: 'control',
  });
const publish = (revision: SignedRevision) => attempt().run(() => activities().publishRevision(revision));
const recover = () => attempt().run(() => activities().recoverRevisions('samples'));
const published = async () => (await chain.store.readRef(endpointRef('samples')))?.value;

/** A revision as the signing worker hands it on. */
async function signed(number: number, answer = number % 2): Promise<SignedRevision> {
  const release = await chain.release(await chain.model(answer), number);
  return { release, record: await recordOf(release) };
}

async function recordOf(release: Digest) {
  const verification = await verifyRelease(chain.store, chain.policy, release);
  if (!verification.ok) throw new Error(verification.failures.map(({ message }) => message).join());
  return verification.verified.release;
}

describe('publishing a revision', () => {
  it('moves the ref of its endpoint, once, however often it is asked', async () => {
    const first = await signed(1);
    expect(await publish(first)).toEqual({ kind: 'done', value: first, cached: false });
    expect(await publish(first)).toEqual({ kind: 'done', value: first, cached: false });
    expect(await chain.store.readRef(endpointRef('samples'))).toMatchObject({
      sequence: 1,
      value: { release: first.release, revision: 1 },
    });
  });

  it('refuses what nobody is known to have asked for, though its gateways would take it', async () => {
    const strict = createControlActivities({
      store: chain.store,
      trust: chain.policy,
      scratch: '',
      identity: 'control',
    });
    const revision = await signed(1);
    expect(await attempt().run(() => strict.publishRevision(revision))).toMatchObject({
      kind: 'refused',
      code: 'release-unverified',
      reasons: expect.arrayContaining([expect.stringContaining('request-missing')]),
    });
    expect(await published()).toBeUndefined();
  });

  it('refuses a model with one changed byte, and the ref stays', async () => {
    await publish(await signed(1, 0));
    const before = await published();
    const model = await chain.model(1);
    const release = await chain.release(model, 2);
    const revision = { release, record: await recordOf(release) };
    await chain.flipByte(model.onnx);
    expect(await publish(revision)).toMatchObject({
      kind: 'refused',
      code: 'release-unverified',
      reasons: expect.arrayContaining([expect.stringContaining('blob-corrupt')]),
    });
    expect(await published()).toEqual(before);
  });

  it('refuses a record that is not what was signed', async () => {
    const { release, record } = await signed(1);
    const raised = { release, record: { ...record, revision: 1_000_000 } };
    expect(await publish(raised)).toMatchObject({ kind: 'refused', code: 'release-unverified' });
    expect(await published()).toBeUndefined();
  });

  it('refuses a revision that is not newer than the published one', async () => {
    const [first, second] = [await signed(1), await signed(2)];
    await publish(second);
    expect(await publish(first)).toMatchObject({ kind: 'refused', code: 'revision-outdated' });
    expect(await published()).toMatchObject({ revision: 2 });
  });

  it('lets one of two publishers of one number win, and both of one release', async () => {
    const [one, other] = [await signed(1, 0), await signed(1, 1)];
    const results = await Promise.all([one, other].map(publish));
    expect(results.map(({ kind }) => kind).sort()).toEqual(['done', 'refused']);
    expect(results).toContainEqual(expect.objectContaining({ code: 'revision-outdated' }));

    const next = await signed(2);
    expect(await Promise.all([publish(next), publish(next)])).toEqual([
      expect.objectContaining({ kind: 'done' }),
      expect.objectContaining({ kind: 'done' }),
    ]);
  });
});

describe('recovering the revisions of an endpoint', () => {
  it('finds nothing of an endpoint that was never published', async () => {
    expect(await recover()).toMatchObject({ value: { lastRevision: 0, revisions: [] } });
  });

  it('leaves out what no longer verifies, but counts on from its number', async () => {
    const first = await signed(1, 0);
    await publish(first);
    const model = await chain.model(1);
    const release = await chain.release(model, 2);
    await publish({ release, record: await recordOf(release) });
    await chain.flipByte(model.onnx);
    expect(await recover()).toMatchObject({ value: { lastRevision: 2, revisions: [first] } });
  });

  it('goes by the signed numbers when somebody pointed the ref back', async () => {
    const [first, second] = [await signed(1), await signed(2)];
    await publish(first);
    await publish(second);
    await chain.point({ release: first.release, revision: 1 });
    expect(await recover()).toMatchObject({ value: { lastRevision: 2, revisions: [second, first] } });
  });

  it('refuses a ref that holds something else', async () => {
    await chain.point('nonsense');
    expect(await recover()).toMatchObject({ kind: 'refused', code: 'record-corrupt' });
  });
});
