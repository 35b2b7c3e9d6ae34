import type { Chain, Digest } from '../../spec/index.js';
import { identityOf } from '../envelope.js';
import { hasRole, mayAskUnsigned } from '../people.js';
import { readStatement } from '../statement.js';
import { approvalPredicate } from '../statements/approval.js';
import { requestPredicate } from '../statements/request.js';
import type { Evidence } from './evidence.js';
import { attempt, expect, fail, type Inspection, openLink, readBytes } from './inspection.js';
import type { Requested } from './requests.js';

/**
 * Link 9: where the policy wants people, enough of them saw this summary and said yes for this endpoint. Where it says how
 * many, or names people, each has to be somebody else, and nobody who asked for or signed what is approved.
 *
 * @returns who approved
 */
export async function checkApprovals(
  inspection: Inspection,
  evidence: Evidence,
  { approvals = [], verification }: Pick<Chain, 'approvals' | 'verification'>,
  { run }: Requested,
): Promise<ReadonlySet<string>> {
  const { policy } = inspection;
  const { approval: asked = false } = policy.endpoints[evidence.endpoint] ?? {};
  const separate =
    policy.separationOfDuties !== 'none' && (typeof asked === 'object' || policy.people !== undefined);
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
    }
    if (separate) {
      const involved = inspection.signers.has(signer) || run?.name === signer;
      expect(
        inspection,
        'approval',
        !involved,
        'approval-self',
        `expected an approval by somebody who neither asked for nor signed what is approved, got one by ${signer}`,
      );
      if (involved) continue;
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
  return approvers;
}

/** @returns who approved; undefined where nobody did */
async function checkApproval(
  inspection: Inspection,
  { endpoint, model }: Evidence,
  approval: Digest,
  verification: Digest,
): Promise<string | undefined> {
  const { policy, store, now } = inspection;
  const about = { endpoint, subject: model };
  const read = await attempt(inspection, 'approval', async () =>
    readStatement(await readBytes(store, approval), policy, now),
  );
  if (!read) return undefined;
  const asked = read.type.type === requestPredicate.type;
  const opened = asked
    ? await openLink(inspection, 'approval', requestPredicate, approval, about)
    : await openLink(inspection, 'approval', approvalPredicate, approval, about);
  if (!opened) return undefined;
  const { person } = opened.signer;
  const { endpoint: approvedFor, reason, verification: seen, ...said } = opened.predicate;
  const approved = 'action' in said ? said.action === 'approve' : said.decision === 'approved';
  const by = person?.name ?? ('person' in said ? said.person : opened.signer.id);
  expect(
    inspection,
    'approval',
    approved,
    'approval-rejected',
    `expected an approval, got a rejection by ${by}: ${reason}`,
  );
  const meant = approvedFor === endpoint && seen === verification;
  expect(
    inspection,
    'approval',
    meant,
    'approval-mismatch',
    `expected an approval of summary ${verification} for ${endpoint}, got one of ${seen} for ${approvedFor}`,
  );
  // A worker signs for people who cannot, where the policy lets such approvals in: all of them together are one.
  const may = person
    ? hasRole(person, 'approver', endpoint)
    : !asked && (policy.people === undefined || mayAskUnsigned(policy, 'approve'));
  expect(
    inspection,
    'approval',
    may,
    'role-missing',
    `expected an approval by an approver of ${endpoint}, got one by ${by}`,
  );
  return approved && meant && may ? identityOf(opened.signer) : undefined;
}
