import { RefusedError } from '../../errors/index.js';
import { certificatesIn } from '../certificates.js';
import { pemOf } from '../keys.js';
import type { Signer } from './signer.js';

/**
 * The same signer, known by its certificate: statements carry the chain, and verifiers need no more than its root.
 *
 * @param pem - the signer's certificate, then those of its issuers up to a root, which may be left out
 * @throws RefusedError `certificate-invalid`, also when the first certificate is of another key
 */
export function certifiedSigner(signer: Signer, pem: string): Signer {
  const chain = certificatesIn(pem);
  if (!chain[0] || pemOf(chain[0].publicKey) !== signer.publicKey) {
    throw new RefusedError(
      'certificate-invalid',
      `expected a certificate of key ${signer.keyId}, got another`,
    );
  }
  const sent = chain.filter((certificate, index) => index === 0 || !certificate.checkIssued(certificate));
  return { ...signer, certificates: sent.map(({ raw }) => raw) };
}
