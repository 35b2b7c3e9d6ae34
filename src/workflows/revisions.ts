import type {
  EndpointState,
  FreezeRequest,
  Proposal,
  Revision,
  RollbackRequest,
  SignedRequest,
} from './contract.js';

/** Characters of a name or a reason: a state of 100 revisions must fit into the start of a workflow. */
const longestText = 1000;

/**
 * What is wrong with a proposal, if anything. Whoever may send updates may send any JSON at all, and an error inside a
 * handler would stop the endpoint for good.
 */
export function proposalProblem(proposal: Partial<Proposal> | undefined): string | undefined {
  if (!isText(proposal?.model) || !isText(proposal.chain?.verification))
    return 'Expected a model and the chain of statements that it stands on.';
  return isText(proposal.reason) && isText(proposal.requestedBy)
    ? undefined
    : 'Say who proposes (requestedBy) and why (reason).';
}

/** What is wrong with a request to roll back, if anything. */
export function rollbackProblem(
  request: Partial<RollbackRequest & SignedRequest> | undefined,
): string | undefined {
  if (isSigned(request)) return undefined;
  if (!isText(request?.reason) || !isText(request.requestedBy))
    return `Say who rolls back (requestedBy) and why (reason), in at most ${longestText} characters each.`;
  return request.toRevision === undefined || Number.isSafeInteger(request.toRevision)
    ? undefined
    : 'Expected the number of a revision as toRevision, or none.';
}

/** What is wrong with a request to freeze or to unfreeze, if anything. */
export function freezeProblem(
  request: Partial<FreezeRequest & SignedRequest> | undefined,
): string | undefined {
  return isSigned(request) || (isText(request?.reason) && isText(request.requestedBy))
    ? undefined
    : `Say who asks (requestedBy) and why (reason), in at most ${longestText} characters each, or send a signed request.`;
}

/** Characters: a bundle with a chain of certificates or the entry of a log. */
const longestBundle = 100_000;

/** Whether a request is a signed one, by its looks. */
export function isSigned(request: Partial<SignedRequest> | null | undefined): request is SignedRequest {
  return typeof request?.signed === 'string' && request.signed.length <= longestBundle;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= longestText;
}

/**
 * The revision that this very proposal became, when it is sent again because its answer was lost. It is found even when
 * the endpoint was rolled back since: what people took back must not come back through a retry.
 */
export function publishedBefore({ history }: EndpointState, proposal: Proposal): Revision | undefined {
  return history.find(
    ({ record }) =>
      record.kind === 'release' &&
      servesAlike(record, proposal) &&
      record.reason === proposal.reason &&
      record.requestedBy === proposal.requestedBy,
  );
}

/** Whether a proposal is what is live already: the same model on the same statements, served alike. */
export function continuesLive(live: Revision | undefined, proposal: Proposal): boolean {
  return live !== undefined && servesAlike(live.record, proposal);
}

function servesAlike(record: Revision['record'], { model, chain, serving }: Proposal): boolean {
  return (
    record.model === model &&
    record.chain.verification === chain.verification &&
    revealsAlike(record, { serving })
  );
}

/** Scopes in another order count as another way to serve, which makes a revision too many, and nothing worse. */
function revealsAlike(
  one: Pick<Revision['record'], 'serving'>,
  other: Pick<Revision['record'], 'serving'>,
): boolean {
  return JSON.stringify(one.serving) === JSON.stringify(other.serving);
}

/**
 * The revision that a rollback serves again: the one asked for, or else the newest with another model than the live
 * one.
 *
 * @returns the revision, or a sentence that says why there is none
 */
export function rollbackTarget(
  { endpoint, live, history }: EndpointState,
  toRevision?: number,
): Revision | string {
  if (live === undefined) return `Endpoint ${endpoint} has no live revision to roll back from.`;
  if (toRevision === undefined) {
    const other = history.find(({ record }) => record.model !== live.record.model);
    return (
      other ?? `Endpoint ${endpoint} has served no other model than that of revision ${live.record.revision}.`
    );
  }
  const asked = history.find(({ record }) => record.revision === toRevision);
  if (asked === undefined) {
    const known = history.map(({ record }) => record.revision);
    return `Endpoint ${endpoint} has no revision ${toRevision}: expected one of ${known.join(', ')}.`;
  }
  if (asked.record.model === live.record.model && revealsAlike(asked.record, live.record)) {
    return `Revision ${toRevision} serves the model that is live already, in revision ${live.record.revision}.`;
  }
  return asked;
}
