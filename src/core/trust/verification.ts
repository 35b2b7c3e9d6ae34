import type { ErrorCode } from '../errors/index.js';
import type { Digest, ModelCard, ReleaseRecord } from '../spec/index.js';

/** A link of the chain that can break. */
export type ChainLink =
  | 'policy'
  | 'release'
  | 'model'
  | 'signature'
  | 'provenance'
  | 'data'
  | 'tests'
  | 'waivers'
  | 'verification'
  | 'approval'
  | 'request';

/** How statements that are each well signed can still fail to make a chain. */
export type ChainFailureCode =
  /** The trust policy itself has expired: nothing is newly believed until it is renewed. */
  | 'policy-expired'
  /** The trust policy revokes this model, snapshot or statement. */
  | 'revoked'
  /** Nobody who may stands for the source of the data, and the trust policy asks for that. */
  | 'source-unsigned'
  /** Rows were let in by a decision about other data. */
  | 'release-mismatch'
  /** The release is for another endpoint than the one asked about. */
  | 'endpoint-mismatch'
  /** The endpoint has already been at this revision or a later one. */
  | 'revision-downgraded'
  /** A good statement, but about another artifact. */
  | 'subject-mismatch'
  /** The model folder has other files than a model folder has. */
  | 'model-files'
  | 'card-invalid'
  /** The model card says otherwise than the provenance or the data statement. */
  | 'card-mismatch'
  /** The model was not trained on the snapshot that its card names, or without a recorded environment. */
  | 'materials-mismatch'
  /** A gate was run on another snapshot. */
  | 'snapshot-mismatch'
  /** The test results belong to different lists of gates, or to one that cannot be read. */
  | 'gates-mismatch'
  | 'gate-missing'
  | 'gate-repeated'
  /** A gate failed or was inconclusive, or its statement contradicts itself. */
  | 'gate-failed'
  /** A gate passed, but asked for less than the trust policy does. */
  | 'gate-weaker'
  /** The waiver is of another gate, result or endpoint, has expired, or the trust policy does not allow it. */
  | 'waiver-mismatch'
  /** A gate is about another classifier than the one that is served. */
  | 'gate-unserved'
  | 'summary-failed'
  /** The summary lists other statements than the chain. */
  | 'inputs-mismatch'
  | 'approval-missing'
  | 'approval-rejected'
  /** The same person twice, or one of those who signed what is approved. */
  | 'approval-repeated'
  | 'approval-self'
  /** What is released carries no signed request of a person who may ask for it, or says that another asked. */
  | 'request-missing'
  /** The person saw another summary, or said yes for another endpoint. */
  | 'approval-mismatch';

/** One reason not to serve a release. */
export interface VerificationFailure {
  readonly link: ChainLink;
  /** Stable, for programs. */
  readonly code: ChainFailureCode | ErrorCode;
  /** For people: what was expected, what was found. */
  readonly message: string;
}

/** A release whose whole chain holds, with the bytes that were verified: serve these, never a second read. */
export interface VerifiedRelease {
  /** Envelope of the release statement. */
  readonly digest: Digest;
  readonly release: ReleaseRecord;
  readonly card: ModelCard;
  readonly onnx: Uint8Array;
}

/** Either a release that may be served, or *every* reason why not. */
export type Verification =
  | { readonly ok: true; readonly verified: VerifiedRelease }
  | { readonly ok: false; readonly failures: readonly VerificationFailure[] };
