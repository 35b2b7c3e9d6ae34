import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';
import type { TrustPolicy } from './policy.js';
import type { Signer } from './signers/signer.js';
import { type OpenedStatement, openStatement, signStatement } from './statement.js';
import { descriptorOf, type PredicateType } from './statements/predicate.js';
import { type Revocation, revocationPredicate } from './statements/revocation.js';
import { type RowReleaseDecision, rowReleasePredicate } from './statements/row-release.js';
import { type SourceDescription, sourcePredicate } from './statements/source.js';

/** Bytes. The store checks them against their digest; their signature is checked here. */
const LARGEST_STATEMENT = 16 * 2 ** 20;

/** Counts revocations: whoever serves models looks at it to learn that there is a new one. */
export const revocationsRef = 'revocations';

/** A statement that a signer of the policy made about an artifact. */
export interface StatementAbout<T> extends OpenedStatement<T> {
  readonly envelope: Digest;
}

/**
 * All statements of one type about an artifact by signers who may make them. Whoever can write to the store can file anything under
 * anything: what does not verify says nothing, and stops nobody.
 *
 * @throws TransientError when the store cannot be reached
 */
export async function statementsAbout<T>(
  store: Store,
  policy: TrustPolicy,
  type: PredicateType<T>,
  subject: Digest,
  { now, endpoint }: DecisionQuery,
): Promise<readonly StatementAbout<T>[]> {
  const found: StatementAbout<T>[] = [];
  for (const envelope of await store.referrers(subject)) {
    try {
      const opened = openStatement(
        await store.readBlob(envelope, LARGEST_STATEMENT),
        policy,
        type,
        now,
        endpoint,
      );
      found.push({ ...opened, envelope });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return found;
}

/** Whose word counts, and when. */
export interface DecisionQuery {
  readonly now: Date;
  /** Signers must be allowed to speak for it. */
  readonly endpoint?: string;
}

/** What people decided about a source. */
export interface DataDecisions {
  readonly revocations: readonly StatementAbout<Revocation>[];
  readonly releases: readonly StatementAbout<RowReleaseDecision>[];
}

export async function readDataDecisions(
  store: Store,
  policy: TrustPolicy,
  source: Digest,
  query: DecisionQuery,
): Promise<DataDecisions> {
  const releases = await statementsAbout(store, policy, rowReleasePredicate, source, query);
  return {
    revocations: await statementsAbout(store, policy, revocationPredicate, source, query),
    releases: releases.filter(({ predicate }) => predicate.source === source),
  };
}

/** Signs that a person lets rows in that were set aside, and files that under their source. */
export async function attestRowRelease(
  store: Store,
  signer: Signer,
  quarantine: Digest,
  decision: Omit<RowReleaseDecision, 'decidedAt'>,
  now: Date,
): Promise<Digest> {
  const predicate = { ...decision, decidedAt: now.toISOString() };
  const subject = descriptorOf('quarantine', quarantine);
  const bundle = await signStatement(signer, rowReleasePredicate, subject, predicate);
  return file(store, bundle, [quarantine, decision.source]);
}

/** Signs that data is to be believed no more, and tells whoever serves models to look. */
export async function attestRevocation(
  store: Store,
  signer: Signer,
  data: Digest,
  revocation: Omit<Revocation, 'revokedAt'>,
  now: Date,
): Promise<Digest> {
  const predicate = { ...revocation, revokedAt: now.toISOString() };
  return file(
    store,
    await signStatement(signer, revocationPredicate, descriptorOf('data', data), predicate),
    [data],
  );
}

/** Signs where a source comes from. */
export async function attestSource(
  store: Store,
  signer: Signer,
  source: Digest,
  description: Omit<SourceDescription, 'attestedAt'>,
  now: Date,
): Promise<Digest> {
  const predicate = { ...description, attestedAt: now.toISOString() };
  return file(
    store,
    await signStatement(signer, sourcePredicate, descriptorOf('source', source), predicate),
    [source],
  );
}

/** Moves {@link revocationsRef} on, so that those who serve models verify again what they serve. */
export async function announceRevocation(store: Store, revocation: Digest): Promise<void> {
  while (!(await store.moveRef(revocationsRef, await store.readRef(revocationsRef), { revocation }))) {
    // Somebody else announced theirs in between.
  }
}

async function file(store: Store, bundle: Uint8Array, subjects: readonly Digest[]): Promise<Digest> {
  const envelope = await store.putBlob(bundle);
  for (const subject of subjects) await store.attach(subject, envelope);
  return envelope;
}
