import type { Digest, ModelCard, ReleaseRecord } from '../spec/index.js';

/** A link of the chain that can break. */
export type ChainLink =
  | 'release'
  | 'model'
  | 'signature'
  | 'provenance'
  | 'data'
  | 'tests'
  | 'verification'
  | 'approval';

/** One reason not to serve a release. */
export interface VerificationFailure {
  readonly link: ChainLink;
  /** Stable, for programs: `signature-invalid`, `digest-mismatch`, `key-not-allowed`, … */
  readonly code: string;
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
