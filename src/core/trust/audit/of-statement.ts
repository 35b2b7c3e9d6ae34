import type { Digest } from '../../spec/index.js';
import { identityOf } from '../envelope.js';
import type { RequestAction } from '../people.js';
import type { OpenedStatement } from '../statement.js';
import { approvalPredicate } from '../statements/approval.js';
import { digestOfSet } from '../statements/predicate.js';
import { releasePredicate } from '../statements/release.js';
import { requestPredicate } from '../statements/request.js';
import { waiverPredicate } from '../statements/waiver.js';
import type { AuditEntry } from './entry.js';

const decisionOf: Readonly<Record<RequestAction, AuditEntry['decision'] | undefined>> = {
  run: 'requested',
  approve: 'approved',
  reject: 'rejected',
  rollback: undefined,
  freeze: 'frozen',
  unfreeze: 'unfrozen',
};

/**
 * What a statement decides, as an entry of the log: equal statements have equal entries, so that none is logged twice.
 *
 * @returns undefined for statements that decide nothing: tests, provenance and the like
 */
export function entryOfStatement(
  statement: Digest,
  opened: OpenedStatement<unknown>,
): AuditEntry | undefined {
  const about = { version: 1, subject: digestOfSet(opened.subject.digest), statement } as const;
  switch (opened.type.type) {
    case approvalPredicate.type: {
      const { decision, endpoint, person, reason, decidedAt } = approvalPredicate.schema.parse(
        opened.predicate,
      );
      return { ...about, decision, endpoint, by: person, reason, at: decidedAt };
    }
    case waiverPredicate.type: {
      const { endpoint, person, gate, reason, waivedAt } = waiverPredicate.schema.parse(opened.predicate);
      return {
        ...about,
        decision: 'waived',
        endpoint,
        by: person,
        reason: `${gate}: ${reason}`,
        at: waivedAt,
      };
    }
    case releasePredicate.type: {
      const { endpoint, revision, requestedBy, reason, createdAt } = releasePredicate.schema.parse(
        opened.predicate,
      );
      return { ...about, decision: 'proposed', endpoint, revision, by: requestedBy, reason, at: createdAt };
    }
    case requestPredicate.type: {
      const { action, endpoint, reason, issuedAt } = requestPredicate.schema.parse(opened.predicate);
      const decision = decisionOf[action];
      // The revision that comes of it is an entry of its own.
      if (!decision) return undefined;
      return { ...about, decision, endpoint, by: identityOf(opened.signer), reason, at: issuedAt };
    }
    default:
      return undefined;
  }
}
