export { type AttackFigures, attackFigures, type NearestFigures } from './attack-figures.js';
export { type CertifiedRow, type CurvePoint, certifiedCurve } from './certified-gate.js';
export type { ControlReport } from './controls/examine.js';
export { decideAgain } from './decide-again.js';
export { type EvaluateGateOptions, evaluateGate } from './evaluate-gate.js';
export { evasionColumns } from './evasion-columns.js';
export { decodeEvidence, type EvidenceHeader, encodeEvidence } from './evidence.js';
export { evidenceTable } from './evidence-table.js';
export { fineTunedFrom } from './fine-tuned-from.js';
export type {
  AdversarialExample,
  AttackProgress,
  Block,
  Decision,
  Evidence,
  EvidenceRow,
  Gate,
  GateSubject,
  Measurement,
} from './gate.js';
export { mergeShards } from './merge-shards.js';
export { type ExamplePictures, examplePictures } from './pictures/example-pictures.js';
export { planShards } from './plan-shards.js';
export { withGate } from './registry.js';
export { chooseSamples, type GateInputs, policyDigest, runKey } from './run-key.js';
export { measureShard, type StoredShard, storedShardSchema } from './shard.js';
export { type CertifyFileOptions, certifyFile, type FileCertification } from './standalone/certify-file.js';
export { type EvaluateFileOptions, evaluateFile, type FileEvaluation } from './standalone/evaluate-file.js';
export {
  type EvaluateTextsOptions,
  evaluateTexts,
  type TextEvaluation,
} from './standalone/evaluate-texts.js';
export { type ModelFile, openModelFile } from './standalone/model-file.js';
