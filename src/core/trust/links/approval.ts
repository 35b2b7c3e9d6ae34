import type { Chain } from '../../spec/index.js';
import { approvalPredicate } from '../statements/approval.js';
import type { Evidence } from './evidence.js';
import { expect, fail, type Inspection, openLink } from './inspection.js';

/** Link 8: where the policy wants a person, a person who saw this summary said yes for this endpoint. */
export async function checkApproval(
  inspection: Inspection,
  { endpoint, model }: Evidence,
  { approval, verification }: Pick<Chain, 'approval' | 'verification'>,
): Promise<void> {
  if (!approval) {
    if (inspection.policy.endpoints[endpoint]?.approval) {
      fail(
        inspection,
        'approval',
        'approval-missing',
        `expected an approval for endpoint ${endpoint}, got none`,
      );
    }
    return;
  }
  const about = { endpoint, subject: model };
  const opened = await openLink(inspection, 'approval', approvalPredicate, approval, about);
  if (!opened) return;
  const { decision, endpoint: approvedFor, person, reason, verification: seen } = opened.predicate;
  expect(
    inspection,
    'approval',
    decision === 'approved',
    'approval-rejected',
    `expected an approval, got a rejection by ${person}: ${reason}`,
  );
  expect(
    inspection,
    'approval',
    approvedFor === endpoint && seen === verification,
    'approval-mismatch',
    `expected an approval of summary ${verification} for ${endpoint}, got one of ${seen} for ${approvedFor}`,
  );
}
