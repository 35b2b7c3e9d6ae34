import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { canonicalJson, digestOfJson, openStore, type Store } from '../../../src/core/store/index.js';
import { attest } from '../../../src/core/trust/attest.js';
import {
  createTrustPolicy,
  followPolicy,
  generateSigningKey,
  readSigner,
  type SigningKey,
  signSuccessor,
  type TrustPolicy,
  trustPolicySchema,
} from '../../../src/core/trust/index.js';
import { trustPolicyPredicate } from '../../../src/core/trust/statements/trust-policy.js';

const now = new Date('2026-01-02T03:04:05.000Z');

let folder: string;
let store: Store;
let ada: SigningKey;
let grace: SigningKey;
let mallory: SigningKey;
let pinned: TrustPolicy;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'assay-succession-'));
  store = await openStore(pathToFileURL(folder).href);
  [ada, grace, mallory] = await Promise.all([
    generateSigningKey(),
    generateSigningKey(),
    generateSigningKey(),
  ]);
  // Two of the two with the role have to sign; Mallory may sign releases.
  pinned = trustPolicySchema.parse({
    ...createTrustPolicy([
      { publicKey: ada.publicKey, roles: ['policy'] },
      { publicKey: grace.publicKey, roles: ['policy'] },
      { publicKey: mallory.publicKey, roles: ['release'] },
    ]),
    successionThreshold: 2,
  });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const successorOf = (policy: TrustPolicy, changes: object = {}): TrustPolicy =>
  trustPolicySchema.parse({ ...policy, revision: policy.revision + 1, ...changes });
const sign = (by: SigningKey, successor: TrustPolicy, current = pinned) =>
  signSuccessor(store, readSigner(by.privateKey), current, successor, now);

describe('a policy', () => {
  it('is followed to its successor once enough have signed that, and no sooner', async () => {
    const next = successorOf(pinned, { expires: '2027-01-01T00:00:00Z' });
    expect(await followPolicy(store, pinned, now)).toEqual(pinned);
    expect(await sign(ada, next)).toMatchObject({ signers: [ada.keyId], needed: 2 });
    expect(await followPolicy(store, pinned, now)).toEqual(pinned);
    expect((await sign(grace, next)).signers).toHaveLength(2);
    expect(await followPolicy(store, pinned, now)).toEqual(next);
  });

  it('is followed from successor to successor, over one that has expired since', async () => {
    const second = successorOf(pinned, { expires: '2025-01-01T00:00:00Z' });
    const third = successorOf(second, { expires: undefined });
    for (const by of [ada, grace]) {
      await sign(by, second);
      await sign(by, third, second);
    }
    expect(await followPolicy(store, pinned, now)).toEqual(third);
  });

  it('hands over to other keys, whose own policy they have to sign too', async () => {
    const edsger = await generateSigningKey();
    const keys = [
      ...pinned.keys.slice(1),
      ...createTrustPolicy([{ publicKey: edsger.publicKey, roles: ['policy'] }]).keys,
    ];
    const next = successorOf(pinned, { keys });
    for (const by of [ada, grace]) await sign(by, next);
    expect(await followPolicy(store, pinned, now)).toEqual(pinned);
    await sign(edsger, next);
    expect(await followPolicy(store, pinned, now)).toEqual(next);

    // Ada has no say in what comes after, and Edsger has.
    const after = successorOf(next, { endpoints: { digits: { approval: true } } });
    for (const by of [ada, grace]) await sign(by, after, next);
    expect(await followPolicy(store, pinned, now)).toEqual(next);
    await sign(edsger, after, next);
    expect(await followPolicy(store, pinned, now)).toEqual(after);
  });

  it('is not replaced by one signer who signs twice, nor with the help of a signer of other things', async () => {
    const next = successorOf(pinned, { endpoints: { digits: {} } });
    await sign(ada, next);
    await sign(ada, next);
    expect((await sign(mallory, next)).signers).toEqual([ada.keyId]);
    expect(await followPolicy(store, pinned, now)).toEqual(pinned);
  });

  it('is not replaced by a successor of another policy, nor over a revision left out', async () => {
    const other = trustPolicySchema.parse({ ...pinned, endpoints: { letters: { approval: true } } });
    const next = successorOf(other);
    for (const by of [ada, grace]) await sign(by, next, other);
    expect(await followPolicy(store, pinned, now)).toEqual(pinned);
    await expect(sign(ada, successorOf(next))).rejects.toMatchObject({ code: 'trust-policy-invalid' });
    await expect(sign(ada, pinned)).rejects.toMatchObject({ code: 'trust-policy-invalid' });
  });

  it('never goes back: an older one, published again, is passed over', async () => {
    const second = successorOf(pinned, { expires: '2027-01-01T00:00:00Z' });
    const third = successorOf(second);
    for (const by of [ada, grace]) {
      await sign(by, second);
      await sign(by, third, second);
    }
    await publish({ revision: 2, policy: digestOfJson(second) });
    expect(await followPolicy(store, pinned, now)).toEqual(third);
    expect(await followPolicy(store, third, now)).toEqual(third);
  });

  it('keeps to the first of two successors that are both signed', async () => {
    const [first, second] = [{ digits: {} }, { letters: {} }].map((endpoints) =>
      successorOf(pinned, { endpoints }),
    );
    for (const next of [first!, second!]) for (const by of [ada, grace]) await sign(by, next);
    expect(await followPolicy(store, pinned, now)).toEqual(first);
  });

  it('is followed past whatever else stands in the store', async () => {
    const next = successorOf(pinned);
    for (const by of [ada, grace]) await sign(by, next);
    const text = await store.putBlob(Buffer.from('no policy'));
    for (const pointer of [
      null,
      { revision: 2 },
      { revision: 2, policy: text },
      { revision: 2, policy: digestOfJson('gone') },
    ])
      await publish(pointer);
    await store.attach(digestOfJson(next), text);
    await store.attach(digestOfJson(next), digestOfJson('gone'));
    expect(await followPolicy(store, pinned, now)).toEqual(next);
  });

  it('is not replaced by a statement whose policy says another revision than it', async () => {
    const next = successorOf(pinned, { revision: 3 });
    const policy = await store.putBlob(Buffer.from(canonicalJson(next)));
    for (const by of [ada, grace]) {
      await attest(store, readSigner(by.privateKey), trustPolicyPredicate, 'trust-policy', policy, {
        ...{ revision: 2, replaces: digestOfJson(pinned), signedAt: now.toISOString() },
      });
    }
    await publish({ revision: 2, policy });
    expect(await followPolicy(store, pinned, now)).toEqual(pinned);
  });
});

async function publish(pointer: unknown): Promise<void> {
  await store.moveRef('trust/policy', await store.readRef('trust/policy'), pointer);
}
