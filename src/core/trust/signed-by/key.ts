import { RefusedError } from '../../errors/index.js';
import { readPublicKey, signatureHolds } from '../keys.js';
import type { TrustPolicy } from '../policy.js';
import type { SignedEnvelope, TrustedSigner } from './trusted-signer.js';

/**
 * Signed by a key that the policy lists.
 *
 * @param hint - id of the key
 * @throws RefusedError `key-unknown` or `signature-invalid`
 */
export function byKey(
  { signed, signature, keyId }: SignedEnvelope,
  hint: string,
  policy: TrustPolicy,
): TrustedSigner {
  const key = policy.keys.find(({ id }) => id === hint);
  if (!key || (keyId !== '' && keyId !== hint)) {
    throw new RefusedError(
      'key-unknown',
      `expected a key of the trust policy, got ${key ? JSON.stringify(keyId) : hint}`,
    );
  }
  if (!signatureHolds(readPublicKey(key.publicKey), signed, signature)) {
    throw new RefusedError('signature-invalid', `expected a signature by key ${hint}, got another`);
  }
  return key;
}
