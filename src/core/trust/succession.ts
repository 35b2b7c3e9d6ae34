import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { type Digest, digestSchema } from '../spec/index.js';
import { canonicalJson, digestOf, digestOfJson, type Store } from '../store/index.js';
import { attest } from './attest.js';
import { identityOf } from './envelope.js';
import { readTrustPolicy, type TrustPolicy } from './policy.js';
import type { Signer } from './signers/signer.js';
import { openStatement } from './statement.js';
import { digestOfSet } from './statements/predicate.js';
import { trustPolicyPredicate } from './statements/trust-policy.js';

/*
 * How a verifier that was given one policy comes to believe another, without anyone visiting it (after The Update
 * Framework 1.0, section 5.3, "Update the root role"). The store is not believed: whoever writes to it can add policies
 * that nobody takes for successors, and can withhold successors until the old policy expires.
 */

/** The ref under which policies are published, signed or not. */
export const policyRef = 'trust/policy';

const pointerSchema = z.strictObject({ revision: z.int().min(2), policy: digestSchema });

/** Bytes. */
const largestPolicy = 4 * 2 ** 20;

/** How far a successor has come. */
export interface Succession {
  /** Canonical text of the successor, as a blob. */
  readonly policy: Digest;
  /** Those who signed it and may, under the policy that it replaces. */
  readonly signers: readonly string[];
  readonly needed: number;
}

/**
 * Signs a policy as the successor of another and publishes it. It counts once enough have signed.
 *
 * @throws RefusedError `trust-policy-invalid` unless its revision is the next one
 */
export async function signSuccessor(
  store: Store,
  signer: Signer,
  current: TrustPolicy,
  successor: TrustPolicy,
  now: Date,
): Promise<Succession> {
  if (successor.revision !== current.revision + 1) {
    throw new RefusedError(
      'trust-policy-invalid',
      `expected revision ${current.revision + 1}, the one after ${current.revision}, got ${successor.revision}`,
    );
  }
  const policy = await store.putBlob(Buffer.from(canonicalJson(successor)));
  await attest(store, signer, trustPolicyPredicate, 'trust-policy', policy, {
    revision: successor.revision,
    replaces: digestOfJson(current),
    signedAt: now.toISOString(),
  });
  const pointer = { revision: successor.revision, policy };
  for (;;) {
    const newest = await store.readRef(policyRef);
    if (newest && canonicalJson(newest.value) === canonicalJson(pointer)) break;
    if (await store.moveRef(policyRef, newest, pointer)) break;
  }
  const signers = await signersOf(store, current, current, policy, now);
  return { policy, signers: [...signers], needed: current.successionThreshold };
}

/**
 * The newest policy that a verifier should believe who believes this one: successor after successor, each signed by enough
 * of those whom the policy before it names for that, and by enough of those whom it names itself, so that no policy comes
 * in whose own signers could not replace it.
 *
 * @returns the given policy itself where it has no successor
 */
export async function followPolicy(store: Store, pinned: TrustPolicy, now: Date): Promise<TrustPolicy> {
  const published = await publishedPolicies(store);
  let current = pinned;
  for (;;) {
    const next = await successorOf(store, current, published.get(current.revision + 1) ?? [], now);
    if (!next) return current;
    current = next;
  }
}

/** What was published, by revision, oldest first. Pointers that are none are passed over: they are not signed. */
async function publishedPolicies(store: Store): Promise<ReadonlyMap<number, readonly Digest[]>> {
  const found = new Map<number, Digest[]>();
  for await (const { value } of store.refHistory(policyRef)) {
    const { success, data } = pointerSchema.safeParse(value);
    if (success) found.set(data.revision, [data.policy, ...(found.get(data.revision) ?? [])]);
  }
  return found;
}

/** The first published one that is a successor: a second one of the same revision comes too late. */
async function successorOf(
  store: Store,
  current: TrustPolicy,
  candidates: readonly Digest[],
  now: Date,
): Promise<TrustPolicy | undefined> {
  for (const digest of candidates) {
    const successor = await readPolicyBlob(store, digest);
    if (!successor || successor.revision !== current.revision + 1) continue;
    const before = await signersOf(store, current, current, digest, now);
    const after = await signersOf(store, current, successor, digest, now);
    if (before.size >= current.successionThreshold && after.size >= successor.successionThreshold) {
      return successor;
    }
  }
  return undefined;
}

async function readPolicyBlob(store: Store, digest: Digest): Promise<TrustPolicy | undefined> {
  try {
    const bytes = await store.readBlob(digest, largestPolicy);
    return digestOf(bytes) === digest ? readTrustPolicy(Buffer.from(bytes).toString()) : undefined;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** Who signed a policy as the successor of `current`, of those who may under `policy`. */
async function signersOf(
  store: Store,
  current: TrustPolicy,
  policy: TrustPolicy,
  successor: Digest,
  now: Date,
): Promise<ReadonlySet<string>> {
  const signers = new Set<string>();
  for (const envelope of await store.referrers(successor)) {
    try {
      const bytes = await store.readBlob(envelope, largestPolicy);
      const { signer, subject, predicate } = openStatement(bytes, policy, trustPolicyPredicate, now);
      const about = digestOfSet(subject.digest) === successor && predicate.replaces === digestOfJson(current);
      if (about && predicate.revision === current.revision + 1) signers.add(identityOf(signer));
    } catch (error) {
      // Anybody can file anything under a policy.
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return signers;
}
