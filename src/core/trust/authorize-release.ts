import type { Digest, ReleaseRecord } from '../spec/index.js';
import type { Store } from '../store/index.js';
import { checkApprovals } from './links/approval.js';
import type { Inspection } from './links/inspection.js';
import { checkPolicy } from './links/policy.js';
import { checkReleaser, checkRequests } from './links/requests.js';
import type { TrustPolicy } from './policy.js';
import { readStatement } from './statement.js';
import { requestPredicate } from './statements/request.js';
import type { VerificationFailure } from './verification.js';

/** Who may be said to have asked for a release, and the marks of the requests that it uses up. */
export interface ReleaseAuthority {
  readonly requestedBy: string;
  readonly nonces: readonly string[];
  readonly failures: readonly VerificationFailure[];
}

/**
 * Looks at the people behind a proposal alone: whether those who asked for it and those who approved it may, and whether one
 * of them may release. What it is that they asked for, `verifyRelease` looks at.
 */
export async function authorizeRelease(
  store: Store,
  policy: TrustPolicy,
  proposal: Pick<ReleaseRecord, 'endpoint' | 'model' | 'chain' | 'requests'>,
  now: Date,
): Promise<ReleaseAuthority> {
  const demanding = { ...policy, requests: 'signed' } as const;
  const inspection: Inspection = { store, policy: demanding, now, failures: [], signers: new Set() };
  checkPolicy(inspection);
  const requested = await checkRequests(inspection, proposal, { kind: 'release', ...proposal });
  const requestedBy = requested.run?.name ?? 'unauthenticated';
  const approvers = await checkApprovals(inspection, proposal, proposal.chain, requested);
  checkReleaser(inspection, proposal.endpoint, { kind: 'release', requestedBy }, requested, approvers);
  return {
    requestedBy,
    nonces: inspection.failures.length > 0 ? [] : await noncesOf(store, demanding, proposal.requests, now),
    failures: inspection.failures,
  };
}

async function noncesOf(
  store: Store,
  policy: TrustPolicy,
  requests: readonly Digest[] = [],
  now: Date,
): Promise<readonly string[]> {
  return Promise.all(
    requests.map(async (envelope) => {
      const { predicate } = readStatement(await store.readBlob(envelope), policy, now);
      return requestPredicate.schema.parse(predicate).nonce;
    }),
  );
}
