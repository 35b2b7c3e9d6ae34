import { randomBytes } from 'node:crypto';
import path from 'node:path';
import {
  Client,
  Connection,
  type ConnectionOptions,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, type DataConverter, type TypedSearchAttributes } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { type ErrorCode, errorTable, RefusedError, TransientError } from '../core/errors/index.js';
import { canonicalJson, digestOf, openStore, type Store } from '../core/store/index.js';
import { type RequestDraft, type Signer, signRequest } from '../core/trust/index.js';
import {
  decideUpdate,
  type EndpointState,
  endpointStateQuery,
  endpointWorkflowId,
  freezeUpdate,
  type LifecycleInput,
  type LifecycleOutcome,
  type LifecycleProgress,
  progressQuery,
  queues,
  type Revision,
  rollbackUpdate,
  type SignedRequest,
  searchAttributes,
  unfreezeUpdate,
} from '../workflows/contract.js';
import { readLifecycle, upload } from './submission.js';

export interface AssayClientOptions {
  /** Of the Temporal frontend; TLS and API key as `@temporalio/client` takes them. */
  readonly connection: ConnectionOptions;
  readonly namespace?: string;
  /** URL of the artifact store that the workers use too. */
  readonly store: string;
  /**
   * Whose requests these are: each is signed with this key. Without one they go out unsigned, and only what the trust policy
   * lets anybody do is done.
   */
  readonly signer?: Signer;
  /** How payloads are sealed: as the workers do it. */
  readonly dataConverter?: DataConverter;
}

/** What a person decides on a run that waits for people. */
export interface DecisionRequest {
  readonly decision: 'approve' | 'reject';
  readonly reason: string;
}

export interface RollbackWish {
  /** The revision to serve again; the newest one with another model when absent. */
  readonly toRevision?: number;
  readonly reason: string;
}

/** How far a run is, with the share of the work that its running activities report. */
export interface RunProgress extends LifecycleProgress {
  readonly running: readonly {
    readonly activity: string;
    readonly fraction: number;
    readonly detail?: string;
    readonly attempt: number;
  }[];
}

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly status: 'running' | 'released' | 'refused' | 'failed' | 'cancelled';
  readonly stage?: string;
  readonly startedAt: Date;
}

/** What a client that does not sign goes by. */
const nobody = 'an unsigned client';

/** How long a request counts that is sent at once. */
const lifetimeMs = 10 * 60_000;

/** What programs use to drive Assay: the CLI is written with it and nothing else. */
export interface AssayClient {
  readonly store: Store;
  /**
   * Uploads what the lifecycle names and starts a run of it.
   * @param file - a lifecycle file; its paths are relative to it
   * @returns the id of the run
   * @throws RefusedError `spec-invalid`, `source-missing`
   */
  start(file: string): Promise<string>;
  progress(run: string): Promise<RunProgress>;
  isRunning(run: string): Promise<boolean>;
  /** Waits for the end of a run. @throws Error when the run failed or was cancelled */
  outcome(run: string): Promise<LifecycleOutcome>;
  /** Approves or rejects a run that waits for a person. */
  decide(run: string, decision: DecisionRequest): Promise<void>;
  cancel(run: string): Promise<void>;
  /** The newest runs, newest first. */
  runs(limit: number): Promise<readonly RunSummary[]>;
  endpoint(name: string): Promise<EndpointState>;
  rollback(endpoint: string, request: RollbackWish): Promise<Revision>;
  /** Lets nothing new be released to an endpoint, until {@link unfreeze}; a rollback still is. */
  freeze(endpoint: string, reason: string): Promise<void>;
  unfreeze(endpoint: string, reason: string): Promise<void>;
  /** What a person would sign who decides on a run now. @throws RefusedError `update-refused` unless the run waits */
  draftDecision(run: string, decision: DecisionRequest): Promise<RequestDraft>;
  draftRollback(endpoint: string, wish: RollbackWish): Promise<RequestDraft>;
  /** Sends a request that was signed elsewhere, for a run or an endpoint. */
  send(
    name: string,
    update: 'decide' | 'rollback' | 'freeze' | 'unfreeze',
    request: SignedRequest,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** Connects to the Temporal server and opens the store. */
export async function connectAssay(options: AssayClientOptions): Promise<AssayClient> {
  const connection = await connect(options.connection);
  const { dataConverter } = options;
  const { workflow } = new Client({
    connection,
    namespace: options.namespace ?? 'default',
    ...(dataConverter && { dataConverter }),
  });
  const store = await openStore(options.store);

  return {
    store,
    async start(file) {
      const lifecycle = await readLifecycle(file);
      const order = await upload(store, lifecycle, path.dirname(file));
      const id = `lifecycle-${lifecycle.name}-${timestamp(new Date())}-${randomBytes(2).toString('hex')}`;
      const { endpoint } = lifecycle.release;
      const subject = digestOf(canonicalJson(order));
      const asked = await sign({ action: 'run', endpoint, run: id, subject, reason: `run ${id}` });
      const input: LifecycleInput = { ...order, requestedBy: nobody, ...asked };
      await workflow.start('lifecycle', {
        workflowId: id,
        taskQueue: queues.control,
        args: [input],
        staticSummary: `${lifecycle.name} → ${lifecycle.release.endpoint}`,
        staticDetails: `Source \`${input.source}\`.`,
        typedSearchAttributes: [{ key: searchAttributes.endpoint, value: lifecycle.release.endpoint }],
      });
      return id;
    },
    async progress(run) {
      const handle = workflow.getHandle(run);
      const [progress, description] = await known(run, () =>
        Promise.all([handle.query(progressQuery), handle.describe()]),
      );
      const beats = (description.raw.pendingActivities ?? []).map(async (pending) => {
        const [beat = {}] = (await decodeArrayFromPayloads(
          workflow.options.loadedDataConverter,
          pending.heartbeatDetails?.payloads,
        )) as { fraction?: number; detail?: string }[];
        return {
          activity: pending.activityType?.name ?? '',
          fraction: beat.fraction ?? 0,
          attempt: pending.attempt ?? 1,
          ...(beat.detail !== undefined && { detail: beat.detail }),
        };
      });
      return { ...progress, running: await Promise.all(beats) };
    },
    isRunning: (run) =>
      known(run, async () => (await workflow.getHandle(run).describe()).status.name === 'RUNNING'),
    outcome: (run) => known(run, () => workflow.getHandle(run).result() as Promise<LifecycleOutcome>),
    async decide(run, wish) {
      // Blank reasons and runs that wait for nobody are refused by the run itself, unsigned or not.
      const asked = options.signer && (await sign(await draftDecision(run, wish)));
      const unsigned = { ...wish, by: nobody };
      await known(run, () =>
        workflow.getHandle(run).executeUpdate(decideUpdate, { args: [asked ?? unsigned] }),
      );
    },
    async cancel(run) {
      await known(run, () => workflow.getHandle(run).cancel());
    },
    async runs(limit) {
      const summaries: RunSummary[] = [];
      for await (const found of workflow.list({ query: `WorkflowType = 'lifecycle'`, pageSize: limit })) {
        summaries.push(
          summarise(found.workflowId, found.status.name, found.startTime, found.typedSearchAttributes),
        );
        if (summaries.length === limit) break;
      }
      return summaries;
    },
    endpoint: (name) =>
      known(name, () => workflow.getHandle(endpointWorkflowId(name)).query(endpointStateQuery)),
    async rollback(name, wish) {
      const asked = options.signer && (await sign(await draftRollback(name, wish)));
      return known(name, () =>
        workflow
          .getHandle(endpointWorkflowId(name))
          .executeUpdate(rollbackUpdate, { args: [asked ?? { ...wish, requestedBy: nobody }] }),
      );
    },
    freeze: (name, reason) => setFrozen('freeze', name, reason),
    unfreeze: (name, reason) => setFrozen('unfreeze', name, reason),
    draftDecision,
    draftRollback,
    send: (name, update, request) =>
      known(name, () =>
        workflow
          .getHandle(update === 'decide' ? name : endpointWorkflowId(name))
          .executeUpdate<unknown, [SignedRequest]>(update, { args: [request] }),
      ),
    close: () => connection.close(),
  };

  /** @returns nothing for a client without a key */
  async function sign(draft: RequestDraft): Promise<SignedRequest | undefined> {
    if (!options.signer) return undefined;
    const nonce = randomBytes(16).toString('hex');
    const signed = await signRequest(options.signer, draft, { now: new Date(), lifetimeMs, nonce });
    return { signed };
  }

  async function draftDecision(run: string, { decision, reason }: DecisionRequest): Promise<RequestDraft> {
    const { awaiting } = await known(run, () => workflow.getHandle(run).query(progressQuery));
    if (!awaiting) throw new RefusedError('update-refused', `The run ${run} does not wait for a decision.`);
    const { endpoint, model: subject, verification } = awaiting;
    return { action: decision, endpoint, run, subject, verification, reason };
  }

  async function draftRollback(endpoint: string, wish: RollbackWish): Promise<RequestDraft> {
    const { live } = await known(endpoint, () =>
      workflow.getHandle(endpointWorkflowId(endpoint)).query(endpointStateQuery),
    );
    return { action: 'rollback', endpoint, ...wish, ...(live && { subject: live.release }) };
  }

  async function setFrozen(action: 'freeze' | 'unfreeze', endpoint: string, reason: string): Promise<void> {
    const asked = (await sign({ action, endpoint, reason })) ?? { reason, requestedBy: nobody };
    const update = action === 'freeze' ? freezeUpdate : unfreezeUpdate;
    await known(endpoint, () =>
      workflow.getHandle(endpointWorkflowId(endpoint)).executeUpdate(update, { args: [asked] }),
    );
  }
}

async function connect(options: ConnectionOptions): Promise<Connection> {
  try {
    return await Connection.connect(options);
  } catch (cause) {
    const { message } = cause as Error;
    throw new TransientError(
      `Cannot reach the Temporal server at ${options.address}: ${message}. Is it up?`,
      { cause },
    );
  }
}

/** Turns Temporal's "not found" and refused updates into refusals that say what to do. */
async function known<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new RefusedError('not-found', `Temporal knows no run or endpoint ${name}.`);
    if (error instanceof WorkflowUpdateFailedError) {
      const { cause } = error;
      const type = cause instanceof ApplicationFailure ? cause.type : undefined;
      const code: ErrorCode =
        type && Object.hasOwn(errorTable, type) ? (type as ErrorCode) : 'update-refused';
      throw new RefusedError(code, cause?.message ?? error.message, [], { cause: error });
    }
    throw error;
  }
}

function summarise(
  id: string,
  status: string,
  startedAt: Date,
  attributes: TypedSearchAttributes,
): RunSummary {
  const verdict = attributes.get(searchAttributes.verdict);
  const stage = attributes.get(searchAttributes.stage);
  const ended = {
    RUNNING: 'running',
    CANCELLED: 'cancelled',
    COMPLETED: verdict === 'released' ? 'released' : 'refused',
  };
  return {
    id,
    name: id.replace(/^lifecycle-|-\d{8}-\d{6}-[0-9a-f]{4}$/g, ''),
    status: (ended[status as keyof typeof ended] ?? 'failed') as RunSummary['status'],
    ...(stage !== undefined && { stage }),
    startedAt,
  };
}

function timestamp(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}
