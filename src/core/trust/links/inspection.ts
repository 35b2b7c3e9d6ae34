import { RefusedError } from '../../errors/index.js';
import type { Digest } from '../../spec/index.js';
import { digestOf, type Store } from '../../store/index.js';
import { identityOf } from '../envelope.js';
import type { TrustPolicy } from '../policy.js';
import { type OpenedStatement, openStatement } from '../statement.js';
import { digestOfSet, type PredicateType } from '../statements/predicate.js';
import type { ChainLink, VerificationFailure } from '../verification.js';

/** One walk along a chain: what is believed, and every failure met so far. A failure never ends the walk. */
export interface Inspection {
  readonly store: Store;
  readonly policy: TrustPolicy;
  /** When it is looked at: policies and certificates expire. */
  readonly now: Date;
  readonly failures: VerificationFailure[];
  /** Who signed what was met so far, approvals and the release left out: they may not approve it alone. */
  readonly signers: Set<string>;
}

export function fail(
  inspection: Inspection,
  link: ChainLink,
  code: VerificationFailure['code'],
  message: string,
): void {
  inspection.failures.push({ link, code, message });
}

/** Fails the link unless the expectation holds. */
export function expect(
  inspection: Inspection,
  link: ChainLink,
  holds: boolean,
  code: VerificationFailure['code'],
  message: string,
): void {
  if (!holds) fail(inspection, link, code, message);
}

/**
 * Runs one step of a link. What is refused breaks the link; what is only a fault of the store says nothing about the
 * chain and is thrown.
 */
export async function attempt<T>(
  inspection: Inspection,
  link: ChainLink,
  step: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    fail(inspection, link, error.code, error.message);
    return undefined;
  }
}

/** Bytes. */
const largestStatement = 16 * 2 ** 20;

/** Reads a blob and takes its digest here, whatever the store has checked already. */
export async function readBytes(
  store: Store,
  digest: Digest,
  atMost = largestStatement,
): Promise<Uint8Array> {
  const bytes = await store.readBlob(digest, atMost);
  const got = digestOf(bytes);
  if (got !== digest) {
    throw new RefusedError('blob-corrupt', `expected blob ${digest}, got bytes that hash to ${got}`);
  }
  return bytes;
}

/** Opens the statement of a link and asks that it be about this artifact. */
export async function openLink<T>(
  inspection: Inspection,
  link: ChainLink,
  type: PredicateType<T>,
  envelope: Digest,
  about: { readonly endpoint: string; readonly subject: Digest | undefined },
): Promise<OpenedStatement<T> | undefined> {
  const opened = await attempt(inspection, link, async () =>
    openStatement(
      await readBytes(inspection.store, envelope),
      inspection.policy,
      type,
      inspection.now,
      about.endpoint,
    ),
  );
  if (!opened) return undefined;
  if (link !== 'approval' && link !== 'request') inspection.signers.add(identityOf(opened.signer));
  expectNotRevoked(inspection, link, envelope);
  if (about.subject) expectSubject(inspection, link, opened, about.subject);
  return opened;
}

export function expectSubject(
  inspection: Inspection,
  link: ChainLink,
  statement: OpenedStatement<unknown>,
  subject: Digest,
): void {
  const got = digestOfSet(statement.subject.digest);
  expect(
    inspection,
    link,
    got === subject,
    'subject-mismatch',
    `expected a statement about ${subject}, got one about ${got}`,
  );
}

/** Whatever was signed: what the policy revokes is believed no more. */
export function expectNotRevoked(inspection: Inspection, link: ChainLink, digest: Digest | undefined): void {
  expect(
    inspection,
    link,
    digest === undefined || !inspection.policy.revoked.includes(digest),
    'revoked',
    `expected nothing that the trust policy revokes, got ${digest}`,
  );
}
