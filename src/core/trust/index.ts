export {
  attestApproval,
  attestData,
  attestModel,
  attestVerdicts,
  attestWaiver,
  type DecideAgain,
  signRelease,
  type TrainingRun,
} from './attest.js';
export { attestVerification } from './attest-verification.js';
export {
  type AuditEntry,
  appendDecision,
  auditEntrySchema,
  cosign,
  cosignedAt,
  entryOfStatement,
  formatNote,
  type KnownOfLog,
  type LogFailure,
  type LoggedEntry,
  type LogVerification,
  parseNote,
  proofHolds,
  proveEntry,
  readLog,
  tilesOf,
  verifyLog,
  type Witness,
  witnessLog,
} from './audit/index.js';
export { authorizeRelease } from './authorize-release.js';
export { attestBom } from './bom/attest-bom.js';
export { readBom } from './bom/read-bom.js';
export {
  announceRevocation,
  attestRevocation,
  attestRowRelease,
  attestSource,
  readDataDecisions,
  revocationsRef,
} from './data-decisions.js';
export { identityOf, openEnvelope, preAuthenticationEncoding, signEnvelope } from './envelope.js';
export { type Curve, curves, keyIdOf } from './keys.js';
export { type Lineage, type LineageNode, onnxOf, traceLineage } from './lineage.js';
export type { Evidence } from './links/evidence.js';
export type { ExpectedRelease } from './links/release.js';
export { type ModelFolder, signModel, verifyModelSignature } from './model-signature.js';
export {
  type AccessRole,
  accessRoles,
  mayAskUnsigned,
  type Person,
  personOf,
  type RequestAction,
  requestActions,
} from './people.js';
export {
  accessOfOne,
  createTrustPolicy,
  type KeyGrant,
  readTrustPolicy,
  type StatementRole,
  statementRoles,
  type TrustPolicy,
  trustPolicySchema,
  writeTrustPolicy,
} from './policy.js';
export {
  endpointDigest,
  openRequest,
  type RequestDraft,
  requireValidPolicy,
  signRequest,
} from './requests.js';
export { type ShownArtifact, type ShownStatement, showArtifact } from './show/show-artifact.js';
export { awsKmsSigner } from './signers/aws-kms.js';
export { certifiedSigner } from './signers/certified.js';
export { generateSigningKey, readSigner, type SigningKey } from './signers/local-key.js';
export { openSigner, type SignerSettings } from './signers/open-signer.js';
export type { Signer } from './signers/signer.js';
export { type OpenedStatement, readStatement } from './statement.js';
export { followPolicy, type Succession, signSuccessor } from './succession.js';
export type {
  ChainFailureCode,
  ChainLink,
  Verification,
  VerificationFailure,
  VerifiedRelease,
} from './verification.js';
export { verifyRelease } from './verify-release.js';
