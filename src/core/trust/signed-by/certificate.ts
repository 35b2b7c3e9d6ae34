import { RefusedError } from '../../errors/index.js';
import { readCertificate, verifyCertificateChain } from '../certificates.js';
import { readKey, signatureHolds } from '../keys.js';
import type { TrustPolicy } from '../policy.js';
import type { SignedEnvelope, TrustedSigner } from './trusted-signer.js';

/**
 * Signed by the holder of a certificate that leads to a root of the policy and names an identity of the policy. The name is
 * compared as a whole: a pattern, or one of several names, would let in whom nobody meant.
 *
 * @param chain - DER, the signer's own first
 * @throws RefusedError `certificate-invalid`, `identity-unknown`, `key-invalid` or `signature-invalid`
 */
export function byCertificate(
  { signed, signature }: SignedEnvelope,
  chain: readonly Uint8Array[],
  policy: TrustPolicy,
  now: Date,
): TrustedSigner {
  const certificates = chain.map(readCertificate);
  const leaf = certificates[0]!;
  // Node quotes what could be mistaken for several names, so equal texts are one and the same name.
  const name = leaf.subjectAltName ?? 'no name';
  const identity = policy.certificates?.identities.find(({ subject }) => subject === name);
  if (!policy.certificates || !identity) {
    throw new RefusedError(
      'identity-unknown',
      `expected a signer of the trust policy, got ${JSON.stringify(name)}`,
    );
  }
  verifyCertificateChain(certificates, policy.certificates.roots.map(readCertificate), now);
  const key = readKey(() => leaf.publicKey, 'public');
  if (!signatureHolds(key, signed, signature)) {
    throw new RefusedError('signature-invalid', `expected a signature by ${name}, got another`);
  }
  return { id: name, ...identity };
}
