import type { Person } from '../people.js';
import type { Grant } from '../policy.js';

/** Someone whom the policy names, and who was found to have signed. */
export interface TrustedSigner extends Grant {
  /** Key id, or the identity in the signer's certificate. */
  readonly id: string;
  /** Whose it is, where the policy says that it is somebody's. */
  readonly person?: Person;
}

/** One signature and what it is over. */
export interface SignedEnvelope {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** What the envelope calls the key; empty where it does not say. */
  readonly keyId: string;
}
