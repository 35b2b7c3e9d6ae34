import { ApplicationFailure, Context } from '@temporalio/activity';
import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { type Workflow, WorkflowIdConflictPolicy } from '@temporalio/common';
import { RefusedError } from '../core/errors/index.js';
import { endpointPointerSchema, endpointRef } from '../core/serving/index.js';
import type { Chain, Digest, ReleaseRecord } from '../core/spec/index.js';
import { digestOfJson } from '../core/store/index.js';
import { verifyRelease } from '../core/trust/index.js';
import type { ControlContext } from './context.js';
import { runOnce, type StageRefusal, type StageResult } from './stage.js';

export interface SignedRevision {
  readonly release: Digest;
  readonly record: ReleaseRecord;
}

export interface ProposeInput {
  readonly endpoint: string;
  readonly proposal: {
    readonly model: Digest;
    readonly chain: Chain;
    readonly reason: string;
    readonly requestedBy: string;
  };
}

/** How many revisions an endpoint remembers. */
const remembered = 100;

/** The activities of a control worker: what is published, and who is asked to publish it. */
export function createControlActivities({ store, trust }: ControlContext) {
  return {
    /** Hands a model to the workflow that owns its endpoint, and starts that workflow on the first release. */
    async proposeRelease({ endpoint, proposal }: ProposeInput): Promise<StageResult<SignedRevision>> {
      const { client, info } = Context.current();
      const owner = new WithStartWorkflowOperation('endpoint', {
        workflowId: `endpoint-${endpoint}`,
        taskQueue: info.taskQueue,
        args: [{ endpoint, history: [] }],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        staticSummary: `Endpoint ${endpoint}`,
      });
      try {
        const revision = await client.workflow.executeUpdateWithStart<
          Workflow,
          SignedRevision,
          [ProposeInput['proposal']]
        >('propose', {
          // Asked again after a lost answer, the endpoint gives the same one.
          updateId: digestOfJson(proposal),
          args: [proposal],
          startWorkflowOperation: owner,
        });
        return { kind: 'done', value: revision, cached: revision.record.reason !== proposal.reason };
      } catch (error) {
        const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
        if (!(cause instanceof ApplicationFailure) || !cause.nonRetryable) throw error;
        return cause.details?.[0] as StageRefusal;
      }
    },

    /**
     * Admits a signed revision: verifies its whole chain and moves the endpoint's ref, on which gateways act. Nothing
     * that does not verify, and no revision older than the published one, gets past.
     */
    async publishRevision({ release, record }: SignedRevision): Promise<StageResult<SignedRevision>> {
      return runOnce(async () => {
        const ref = endpointRef(record.endpoint);
        const current = await store.readRef(ref);
        const pointer = current && endpointPointerSchema.parse(current.value);
        if (pointer?.release === release) return { release, record };

        const verification = await verifyRelease(store, trust, release, {
          endpoint: record.endpoint,
          ...(pointer && { afterRevision: pointer.revision }),
        });
        if (!verification.ok) {
          const details = verification.failures.map(
            ({ link, code, message }) => `${link}: ${code}: ${message}`,
          );
          throw new RefusedError(
            'release-unverified',
            `Revision ${record.revision} of ${record.endpoint} does not verify.`,
            details,
          );
        }
        const moved = await store.moveRef(ref, current, { release, revision: record.revision });
        if (moved) return { release, record };
        throw new RefusedError(
          'update-refused',
          `Another writer moved ${ref} while revision ${record.revision} was published.`,
        );
      });
    },

    /** The revisions that the store holds of an endpoint, newest first, as far as they verify. */
    async recoverRevisions(endpoint: string): Promise<readonly SignedRevision[]> {
      const revisions: SignedRevision[] = [];
      for await (const { value } of store.refHistory(endpointRef(endpoint))) {
        const { release } = endpointPointerSchema.parse(value);
        const verification = await verifyRelease(store, trust, release, { endpoint });
        if (verification.ok) revisions.push({ release, record: verification.verified.release });
        if (revisions.length === remembered) break;
      }
      return revisions;
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
