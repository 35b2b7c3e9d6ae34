import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { Proposal, SignedRevision } from '../activities/index.js';
import type { Digest, Lifecycle, Verdict } from '../core/spec/index.js';

/** Queues are part of the contract: a worker joins by polling one. Only signing workers hold keys. */
export const queues = {
  control: 'assay-control',
  cpu: 'assay-cpu',
  gpu: 'assay-gpu',
  signing: 'assay-signing',
} as const;

export const searchAttributes = {
  endpoint: defineSearchAttributeKey('AssayEndpoint', SearchAttributeType.KEYWORD),
  stage: defineSearchAttributeKey('AssayStage', SearchAttributeType.KEYWORD),
  verdict: defineSearchAttributeKey('AssayVerdict', SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey('AssayModel', SearchAttributeType.KEYWORD),
  dataset: defineSearchAttributeKey('AssayDataset', SearchAttributeType.KEYWORD),
} as const;

/** What somebody asks under their own key: a bundle as `signRequest` and `assay sign-request` write it. */
export interface SignedRequest {
  readonly signed: string;
}

export interface LifecycleInput {
  readonly lifecycle: Lifecycle;
  /** Blob of the source file. */
  readonly source: Digest;
  /** Blobs of the other files that the data block names, by their paths in it. */
  readonly files?: Readonly<Record<string, Digest>>;
  /** Tree of the user's files for the trainer: a program's, or the model that is fine-tuned. */
  readonly program?: Digest;
  /** Who asks, by their own account: nobody takes it for more than that. */
  readonly requestedBy: string;
  /** The request for this run, signed by who asks; it ends up in the release. */
  readonly signed?: string;
}

export const stageNames = [
  'ingest',
  'train',
  'reproduce',
  'scan',
  'sign',
  'evaluate',
  'attest',
  'approve',
  'release',
] as const;
export type StageName = (typeof stageNames)[number];

/** How far one stage has come. */
export interface StageProgress {
  readonly name: StageName;
  /** `cached`: an earlier run did it with equal inputs; `skipped`: the lifecycle does not ask for it. */
  readonly status: 'waiting' | 'running' | 'done' | 'cached' | 'skipped' | 'refused';
  /** One line for people. */
  readonly detail?: string;
}

export interface LifecycleProgress {
  readonly stages: readonly StageProgress[];
  readonly verdicts: readonly Verdict[];
  /** What people are asked to decide now. */
  readonly awaiting?: AwaitedDecision;
}

/** A decision that a run waits for: what a request to approve has to be about. */
export interface AwaitedDecision {
  readonly endpoint: string;
  readonly model: Digest;
  readonly verification: Digest;
  readonly needed: number;
  readonly approvedBy: readonly string[];
}

/** How a run ends. A refusal is an outcome, not a failure of the workflow. */
export type LifecycleOutcome =
  | {
      readonly status: 'released';
      readonly endpoint: string;
      readonly revision: number;
      readonly release: Digest;
      readonly model: Digest;
      readonly onnx: Digest;
      readonly snapshot: Digest;
      readonly verdicts: readonly Verdict[];
    }
  | {
      readonly status: 'refused';
      readonly stage: StageName;
      readonly code: string;
      /** What is wrong, one sentence each; never empty. */
      readonly reasons: readonly string[];
      /** What to do next. */
      readonly hint: string;
      /** Blobs that prove it: the refusal report, the gates' per-sample results. */
      readonly evidence: readonly Digest[];
      readonly verdicts: readonly Verdict[];
    };

/** A decision on a run that waits for approval, by somebody who does not sign it. */
export interface Decision {
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly reason: string;
}

export const progressQuery = defineQuery<LifecycleProgress>('progress');
export const decideUpdate = defineUpdate<void, [Decision | SignedRequest]>('decide');

export type Revision = SignedRevision;
export type { Proposal };

/** A rollback as it is asked for without a signature. */
export interface RollbackRequest {
  /** The revision to serve again; the newest one with another model when absent. */
  readonly toRevision?: number;
  readonly reason: string;
  readonly requestedBy: string;
}

/** A freeze, or its end, as it is asked for without a signature. */
export interface FreezeRequest {
  readonly reason: string;
  readonly requestedBy: string;
}

export interface Freeze {
  readonly by: string;
  readonly reason: string;
  readonly since: string;
}

export interface EndpointState {
  readonly endpoint: string;
  /**
   * Number of the newest published revision, whether it verifies or not: the next one counts on from it. Absent until
   * the store was read.
   */
  readonly lastRevision?: number;
  readonly live?: Revision;
  /** Nothing new is released meanwhile. */
  readonly frozen?: Freeze;
  /** Newest first, the live one included, at most 100; the store keeps them all. */
  readonly history: readonly Revision[];
}

export const endpointStateQuery = defineQuery<EndpointState>('state');
export const proposeUpdate = defineUpdate<Revision, [Proposal]>('propose');
export const rollbackUpdate = defineUpdate<Revision, [RollbackRequest | SignedRequest]>('rollback');
export const freezeUpdate = defineUpdate<void, [FreezeRequest | SignedRequest]>('freeze');
export const unfreezeUpdate = defineUpdate<void, [FreezeRequest | SignedRequest]>('unfreeze');

/** The id of the one workflow that owns an endpoint. */
export function endpointWorkflowId(endpoint: string): string {
  return `endpoint-${endpoint}`;
}
