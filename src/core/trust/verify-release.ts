import type { Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';
import { checkApprovals } from './links/approval.js';
import { checkEvidence } from './links/check-evidence.js';
import type { Inspection } from './links/inspection.js';
import { checkPolicy } from './links/policy.js';
import { type ExpectedRelease, readRelease } from './links/release.js';
import { checkReleaser, checkRequests } from './links/requests.js';
import { checkSummary } from './links/verification-summary.js';
import type { TrustPolicy } from './policy.js';
import type { Verification } from './verification.js';

/**
 * Walks the whole chain of a release, from its statement down to the data, and believes nobody but the policy. It uses
 * no network beyond the store. Gateway, command line, endpoint workflow and CI all call this one function.
 *
 * @param release - digest of the envelope of the release statement
 * @returns the release with the very bytes that were verified, or every reason why it must not be served
 * @throws TransientError when the store cannot be reached: that is no verdict
 */
export async function verifyRelease(
  store: Store,
  policy: TrustPolicy,
  release: Digest,
  expected: ExpectedRelease = {},
): Promise<Verification> {
  const { at: now = new Date() } = expected;
  const inspection: Inspection = { store, policy, now, failures: [], signers: new Set() };
  checkPolicy(inspection);
  const record = await readRelease(inspection, release, expected);
  if (!record) return { ok: false, failures: inspection.failures };
  const evidence = { ...record, endpoint: expected.endpoint ?? record.endpoint };
  const { model, gates } = await checkEvidence(inspection, evidence);
  await checkSummary(inspection, evidence, record.chain.verification, gates);
  const requested = await checkRequests(inspection, evidence, record);
  const approvers = await checkApprovals(inspection, evidence, record.chain, requested);
  checkReleaser(inspection, evidence.endpoint, record, requested, approvers);
  // A model that cannot be read in full has been reported: the last two conditions are for the compiler.
  if (inspection.failures.length > 0 || !model?.card || !model.onnx) {
    return { ok: false, failures: inspection.failures };
  }
  return { ok: true, verified: { digest: release, release: record, card: model.card, onnx: model.onnx } };
}
