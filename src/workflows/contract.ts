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

export interface LifecycleInput {
  readonly lifecycle: Lifecycle;
  /** Blob of the source file. */
  readonly source: Digest;
  /** Blobs of the other files that the data block names, by their paths in it. */
  readonly files?: Readonly<Record<string, Digest>>;
  /** Tree of the user's files for the trainer: a program's, or the model that is fine-tuned. */
  readonly program?: Digest;
  /** Who asked for the run; it ends up in the release statement. */
  readonly requestedBy: string;
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

/** A person's decision on a run that waits for approval. */
export interface Decision {
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly reason: string;
}

export const progressQuery = defineQuery<LifecycleProgress>('progress');
export const decideUpdate = defineUpdate<void, [Decision]>('decide');

export type Revision = SignedRevision;
export type { Proposal };

export interface RollbackRequest {
  /** The revision to serve again; the newest one with another model when absent. */
  readonly toRevision?: number;
  readonly reason: string;
  readonly requestedBy: string;
}

export interface EndpointState {
  readonly endpoint: string;
  /**
   * Number of the newest published revision, whether it verifies or not: the next one counts on from it. Absent until
   * the store was read.
   */
  readonly lastRevision?: number;
  readonly live?: Revision;
  /** Newest first, the live one included, at most 100; the store keeps them all. */
  readonly history: readonly Revision[];
}

export const endpointStateQuery = defineQuery<EndpointState>('state');
export const proposeUpdate = defineUpdate<Revision, [Proposal]>('propose');
export const rollbackUpdate = defineUpdate<Revision, [RollbackRequest]>('rollback');

/** The id of the one workflow that owns an endpoint. */
export function endpointWorkflowId(endpoint: string): string {
  return `endpoint-${endpoint}`;
}
