import type { ComputeContext, ControlContext } from './context.js';
import { createControlActivities as createPublishing } from './control.js';
import { createEvaluate } from './evaluate.js';
import { createIngest } from './ingest.js';
import { createRequestActivities } from './requests.js';
import { createScan } from './scan.js';
import { createSigningActivities } from './sign.js';
import { createTrain } from './train.js';

/** The activities of CPU and GPU workers. */
export function createComputeActivities(context: ComputeContext) {
  return {
    ingestSource: createIngest(context),
    trainModel: createTrain(context),
    scanModel: createScan(context),
    ...createEvaluate(context),
  };
}

/** The activities of control workers. */
export function createControlActivities(context: ControlContext) {
  return { ...createPublishing(context), ...createRequestActivities(context) };
}

export { createSigningActivities };
export type ComputeActivities = ReturnType<typeof createComputeActivities>;
export type ControlActivities = ReturnType<typeof createControlActivities>;
export type SigningActivities = ReturnType<typeof createSigningActivities>;
export type { Proposal, SignedRevision } from './control.js';
export type { EvaluateInput } from './evaluate.js';
export type { ParentQuery } from './find-parent.js';
export type { IngestInput } from './ingest.js';
export type { GrantedRequest, RequestCheck } from './requests.js';
export type { RevisionOrder } from './sign.js';
export type { StageRefusal, StageResult } from './stage.js';
export type { Trained, TrainInput } from './train.js';
