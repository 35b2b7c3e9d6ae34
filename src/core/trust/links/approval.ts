import type { Chain, Digest } from '../../spec/index.js';
import { approvalPredicate } from '../statements/approval.js';
import type { Evidence } from './evidence.js';
import { expect, fail, type Inspection, openLink } from './inspection.js';

/**
 * Link 8: where the policy wants people, enough of them saw this summary and said yes for this endpoint. Where it says how
 * many, each has to be somebody else, and nobody who signed what is approved.
 */
export async function checkApprovals(
  inspection: Inspection,
  evidence: Evidence,
  { approvals = [], verification }: Pick<Chain, 'approvals' | 'verification'>,
): Promise<void> {
  const { approval: asked = false } = inspection.policy.endpoints[evidence.endpoint] ?? {};
  const approvers = new Set<string>();
  for (const approval of approvals) {
    const signer = await checkApproval(inspection, evidence, approval, verification);
    if (signer === undefined) continue;
    if (typeof asked === 'object') {
      const both = `got two by ${signer}`;
      expect(
        inspection,
        'approval',
        !approvers.has(signer),
        'approval-repeated',
        `expected one approval a person, ${both}`,
      );
      expect(
        inspection,
        'approval',
        !inspection.signers.has(signer),
        'approval-self',
        `expected an approval by somebody who did not sign what is approved, got one by ${signer}`,
      );
      if (inspection.signers.has(signer)) continue;
    }
    approvers.add(signer);
  }
  const needed = typeof asked === 'object' ? asked.threshold : Number(asked);
  if (approvers.size < needed) {
    fail(
      inspection,
      'approval',
      'approval-missing',
      `expected ${needed} of those who may approve for endpoint ${evidence.endpoint}, got ${approvers.size}`,
    );
  }
}

/** @returns who approved; undefined where nobody did */
async function checkApproval(
  inspection: Inspection,
  { endpoint, model }: Evidence,
  approval: Digest,
  verification: Digest,
): Promise<string | undefined> {
  const about = { endpoint, subject: model };
  const opened = await openLink(inspection, 'approval', approvalPredicate, approval, about);
  if (!opened) return undefined;
  const { decision, endpoint: approvedFor, person, reason, verification: seen } = opened.predicate;
  expect(
    inspection,
    'approval',
    decision === 'approved',
    'approval-rejected',
    `expected an approval, got a rejection by ${person}: ${reason}`,
  );
  const meant = approvedFor === endpoint && seen === verification;
  expect(
    inspection,
    'approval',
    meant,
    'approval-mismatch',
    `expected an approval of summary ${verification} for ${endpoint}, got one of ${seen} for ${approvedFor}`,
  );
  return decision === 'approved' && meant ? opened.signer.id : undefined;
}
