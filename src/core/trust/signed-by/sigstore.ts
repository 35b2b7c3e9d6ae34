import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { RefusedError } from '../../errors/index.js';
import type { Bundle } from '../bundle.js';
import type { TrustPolicy } from '../policy.js';
import type { TrustedSigner } from './trusted-signer.js';

/**
 * Signed without a key of one's own: an identity provider vouched for the signer to a Fulcio authority, whose certificate
 * lived for minutes, while a log (Rekor) or a time-stamp authority said when. All of them are known from the `TrustedRoot`
 * in the policy; nobody is asked. Identities are compared as a whole: `@sigstore/verify` would take them for patterns.
 *
 * @throws RefusedError `certificate-invalid` for whatever does not hold, `identity-unknown`
 */
export function bySigstore(bundle: Bundle, { keyless }: TrustPolicy): TrustedSigner {
  if (!keyless) {
    throw new RefusedError('identity-unknown', 'expected a policy that trusts keyless signers, got none');
  }
  const { subject, issuer } = verified(bundle, keyless.trustedRoot);
  const identity = keyless.identities.find(
    (candidate) => candidate.subject === subject && candidate.issuer === issuer,
  );
  const id = `${subject} (${issuer})`;
  if (!identity)
    throw new RefusedError('identity-unknown', `expected a signer of the trust policy, got ${id}`);
  return { id, ...identity };
}

function verified(
  bundle: Bundle,
  root: unknown,
): { subject: string | undefined; issuer: string | undefined } {
  try {
    const material = toTrustMaterial(TrustedRoot.fromJSON(root));
    const verifier = new Verifier(material, {
      // A private authority may have no log of its certificates; then its root names none.
      ctlogThreshold: material.ctlogs.length > 0 ? 1 : 0,
      tlogThreshold: material.tlogs.length > 0 ? 1 : 0,
      timestampThreshold: 1,
    });
    const { identity } = verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
    return { subject: identity?.subjectAlternativeName, issuer: identity?.extensions?.issuer };
  } catch (error) {
    throw new RefusedError(
      'certificate-invalid',
      `expected a signature that the trusted root bears out: ${(error as Error).message}`,
    );
  }
}
