export { certificationMethods, type ServedSmoothing, servedSmoothingSchema } from './certification.js';
export type { CrowdSpec } from './crowd.js';
export { type DataSpec, dataSchema, type FeatureSpec, inputColumns } from './data.js';
export { type CheckVerdict, type DataAccount, dataAccountSchema } from './data-account.js';
export { type DataCheckOf, type DataCheckSpec, driftMetrics } from './data-checks.js';
export { type OtherColumnSpec, type TextHazard, textHazards } from './data-columns.js';
export { personalData, type TransformSpec } from './data-transforms.js';
export { type Digest, digestSchema } from './digest.js';
export {
  type AttackSpec,
  type Randomised,
  type SuiteAttackName,
  type SuiteName,
  suiteNames,
  suiteOf,
  suiteOrder,
} from './evasion-suite.js';
export {
  type AccuracyGateSpec,
  type AdversaryLimit,
  adversaryLimits,
  attacksThroughParent,
  type CertifiedGateSpec,
  type CertifiedPoisoningGateSpec,
  certifiedNorms,
  type EvasionGateSpec,
  type ExtractionGateSpec,
  type GateSpec,
  gateName,
  gateSchema,
  gatesSchema,
  type Norm,
  norms,
  patchProblem,
} from './gates.js';
export type { InspectionSpec } from './inspection.js';
export { type JsonSchema, lifecycleJsonSchema, lifecycleJsonSchemaText } from './json-schema.js';
export { type Lifecycle, lifecycleSchema } from './lifecycle.js';
export { type ModelCard, modelCardSchema } from './model-card.js';
export { nameSchema } from './name.js';
export { type ParsedLifecycle, parseLifecycle, safeParseLifecycle } from './parse.js';
export type { SpecProblem } from './parse-yaml.js';
export {
  type Chain,
  chainSchema,
  type ModelRecord,
  modelRecordSchema,
  type ReleaseRecord,
  releaseRecordSchema,
  type SnapshotRecord,
  snapshotRecordSchema,
  type Verdict,
  verdictSchema,
} from './records.js';
export { findSecrets } from './secrets.js';
export {
  defaultScope,
  type QueryBudget,
  type Reveals,
  revealsSchema,
  type ScopeSpec,
  type ServingSpec,
  servingSchema,
  type WatchSpec,
} from './serving.js';
export { bucketColumns, type TextFeatures, textFeaturesSchema } from './text.js';
export {
  type BuiltInParameters,
  builtInParametersSchema,
  type EarlyStoppingSpec,
  type PartitionsSpec,
  type TrainingSpec,
  trainingFiles,
  trainingSchema,
  votersOf,
} from './training.js';
export type { AdversarialSpec, AttackedBall, RampSpec } from './training-methods.js';
export type { NetworkSpec } from './training-network.js';
export type { ScheduleSpec } from './training-schedule.js';
export { missesWhatIsServed, scopeServed } from './what-is-served.js';
