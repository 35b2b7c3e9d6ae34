import type { EndpointState, Proposal, Revision } from './contract.js';

/** Whether a proposal is what is live already: the same model on the same statements. */
export function continuesLive(live: Revision | undefined, { model, chain }: Proposal): boolean {
  return (
    live !== undefined && live.record.model === model && live.record.chain.verification === chain.verification
  );
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
  if (asked.record.model === live.record.model) {
    return `Revision ${toRevision} serves the model that is live already, in revision ${live.record.revision}.`;
  }
  return asked;
}
