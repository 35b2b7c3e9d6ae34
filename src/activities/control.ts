import { ApplicationFailure, Context } from '@temporalio/activity';
import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { rootCause, type Workflow, WorkflowIdConflictPolicy } from '@temporalio/common';
import type { RowRelease } from '../core/data/index.js';
import { RefusedError } from '../core/errors/index.js';
import { endpointRef, readEndpointPointer } from '../core/serving/index.js';
import type { Chain, Digest, ReleaseRecord, ServingSpec } from '../core/spec/index.js';
import { canonicalJson, digestOfJson, type Store } from '../core/store/index.js';
import { followPolicy, readDataDecisions, type TrustPolicy, verifyRelease } from '../core/trust/index.js';
import type { ControlContext } from './context.js';
import { findParent, type ParentQuery } from './find-parent.js';
import { classified, runOnce, type StageRefusal, type StageResult } from './stage.js';

/** A numbered revision of an endpoint, and the digest of the envelope that says so. */
export interface SignedRevision {
  readonly release: Digest;
  readonly record: ReleaseRecord;
}

/** A model that somebody wants released, and the statements that it stands on. */
export interface Proposal {
  readonly model: Digest;
  readonly chain: Chain;
  /** What gateways reveal to whom; everything to everyone where it is absent. */
  readonly serving?: ServingSpec;
  readonly reason: string;
  /** A claim: the endpoint finds out from the requests. */
  readonly requestedBy: string;
  /** Envelopes of the signed requests that it comes of. */
  readonly requests?: Digest[];
}

export interface ProposeInput {
  readonly endpoint: string;
  /** Id of the workflow that owns the endpoint. */
  readonly owner: string;
  readonly proposal: Proposal;
}

/** What the store holds of an endpoint. */
export interface RecoveredRevisions {
  /** The number of the newest published revision, whether it verifies or not; 0 when there is none. */
  readonly lastRevision: number;
  /** Those that verify, newest first, at most 100. */
  readonly revisions: readonly SignedRevision[];
}

/** How many revisions an endpoint remembers. */
const remembered = 100;

/** The activities of a control worker: what is published, and who is asked to publish it. */
export function createControlActivities({ store, trust }: ControlContext) {
  return {
    /** Hands a model to the workflow that owns its endpoint, and starts that workflow on the first release. */
    async proposeRelease({ endpoint, owner, proposal }: ProposeInput): Promise<StageResult<SignedRevision>> {
      const { client, info } = Context.current();
      const start = new WithStartWorkflowOperation('endpoint', {
        workflowId: owner,
        taskQueue: info.taskQueue,
        args: [{ endpoint, history: [] }],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        staticSummary: `Endpoint ${endpoint}`,
      });
      return classified(async () => {
        try {
          const revision = await client.workflow.executeUpdateWithStart<Workflow, SignedRevision, [Proposal]>(
            'propose',
            {
              // Asked again after a lost answer, the endpoint gives the same one.
              updateId: digestOfJson(proposal),
              args: [proposal],
              startWorkflowOperation: start,
            },
          );
          return { kind: 'done', value: revision, cached: revision.record.reason !== proposal.reason };
        } catch (error) {
          return refusalOfUpdate(endpoint, error);
        }
      });
    },

    /**
     * Admits a signed revision: verifies its whole chain and moves the endpoint's ref, on which gateways act. Nothing
     * that does not verify, and no revision older than the published one, gets past.
     */
    async publishRevision({ release, record }: SignedRevision): Promise<StageResult<SignedRevision>> {
      return runOnce(async () => {
        const policy = await followPolicy(store, trust, new Date());
        // Whatever verifiers ask for: nothing new is let in that nobody who may is known to have asked for.
        const demanding = record.kind === 'release' ? ({ ...policy, requests: 'signed' } as const) : policy;
        const verified = await admit(store, demanding, { release, record });
        const { endpoint, revision } = verified.record;
        const ref = endpointRef(endpoint);
        for (;;) {
          const current = await store.readRef(ref);
          const pointer = current && readEndpointPointer(endpoint, current.value);
          if (pointer?.release === release) return verified;
          if (pointer && pointer.revision >= revision) {
            throw new RefusedError(
              'revision-outdated',
              `expected a revision of ${endpoint} after ${pointer.revision}, which is published, got ${revision}`,
            );
          }
          // A lost race may be lost to an earlier attempt of this very activity: look again.
          if (await store.moveRef(ref, current, { release, revision })) return verified;
        }
      });
    },

    /** Reads what was published of an endpoint; revisions that no longer verify are left out, their numbers are not. */
    async recoverRevisions(endpoint: string): Promise<StageResult<RecoveredRevisions>> {
      return runOnce(async () => {
        const revisions = new Map<Digest, SignedRevision>();
        let lastRevision = 0;
        for await (const { value } of store.refHistory(endpointRef(endpoint))) {
          const { release, revision } = readEndpointPointer(endpoint, value);
          lastRevision = Math.max(lastRevision, revision);
          if (revisions.has(release)) continue;
          const verification = await verifyRelease(store, trust, release, { endpoint });
          if (verification.ok) revisions.set(release, { release, record: verification.verified.release });
          if (revisions.size === remembered) break;
        }
        // The numbers are signed, the order of the ref's versions is not.
        const newestFirst = [...revisions.values()].sort((a, b) => b.record.revision - a.record.revision);
        return { lastRevision, revisions: newestFirst };
      });
    },

    /** What people decided about a source: rows that they let in, or that it is to be used no more. */
    async readDataDecisions({
      source,
      endpoint,
    }: {
      readonly source: Digest;
      readonly endpoint: string;
    }): Promise<StageResult<readonly RowRelease[]>> {
      return runOnce(async () => {
        const query = { now: new Date(), endpoint };
        const { revocations, releases } = await readDataDecisions(store, trust, source, query);
        const [revocation] = revocations;
        if (revocation) {
          const { person, reason } = revocation.predicate;
          throw new RefusedError('data-revoked', `The source ${source} was revoked by ${person}: ${reason}`);
        }
        return releases.map(({ envelope, predicate }) => ({ decision: envelope, rows: predicate.rows }));
      });
    },

    /** What an attacker of the model is likely to own; see {@link findParent}. */
    async findParent(query: ParentQuery): Promise<StageResult<Digest | null>> {
      return runOnce(() => findParent(store, trust, query));
    },

    /** Whether any worker polls this queue for activities now. */
    async hasPollers(queue: string): Promise<boolean> {
      const { client, info } = Context.current();
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: info.activityNamespace,
        taskQueue: { name: queue },
        taskQueueType: 2, // TASK_QUEUE_TYPE_ACTIVITY
      });
      return (pollers?.length ?? 0) > 0;
    },
  };
}

/** @returns the revision as its signed statement tells it */
async function admit(
  store: Store,
  trust: TrustPolicy,
  { release, record }: SignedRevision,
): Promise<SignedRevision> {
  const verification = await verifyRelease(store, trust, release, { endpoint: record.endpoint });
  const what = `Revision ${record.revision} of ${record.endpoint}`;
  if (!verification.ok) {
    const details = verification.failures.map(({ link, code, message }) => `${link}: ${code}: ${message}`);
    throw new RefusedError('release-unverified', `${what} does not verify.`, details);
  }
  const signed = verification.verified.release;
  if (canonicalJson(signed) !== canonicalJson(record)) {
    throw new RefusedError('release-unverified', `${what} is not what the statement ${release} says.`);
  }
  return { release, record: signed };
}

/**
 * What the endpoint refused. Any other failure of the update is final too, since the endpoint would only repeat it to
 * whoever asks again; but one that the workflow left unanswered when it ended is asked of its successor.
 */
function refusalOfUpdate(endpoint: string, error: unknown): StageRefusal {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (!cause) throw error;
  if (cause instanceof ApplicationFailure) {
    if (cause.type === 'AcceptedUpdateCompletedWorkflow') throw error;
    const [refusal] = cause.details ?? [];
    if (refusal) return refusal as StageRefusal;
  }
  throw ApplicationFailure.nonRetryable(
    `Endpoint ${endpoint} did not take the release: ${rootCause(cause)}`,
    'ProposalFailed',
  );
}
