import { RefusedError } from '../errors/index.js';
import { type Bundle, bundleMediaType, parseBundle } from './bundle.js';
import { type AccessRole, hasRole, personOf } from './people.js';
import type { StatementRole, TrustPolicy } from './policy.js';
import { byCertificate } from './signed-by/certificate.js';
import { byKey } from './signed-by/key.js';
import { bySigstore } from './signed-by/sigstore.js';
import type { SignedEnvelope, TrustedSigner } from './signed-by/trusted-signer.js';
import type { Signer } from './signers/signer.js';

export const intotoPayloadType = 'application/vnd.in-toto+json';

/** Signed bytes, and who signed them. Nobody has looked yet at what the bytes say, or whether the signer may say it. */
export interface OpenedEnvelope {
  readonly payload: Uint8Array;
  readonly signer: TrustedSigner;
}

/**
 * What is signed in a DSSE envelope: type and payload with their lengths, so that neither can be taken for the other
 * (DSSE 1.0, protocol, "pre-authentication encoding").
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Signs a payload and returns the bytes of its bundle. ECDSA is randomised: signing again gives other bytes. */
export async function signEnvelope(
  signer: Signer,
  payloadType: string,
  payload: Uint8Array,
): Promise<Uint8Array> {
  const signature = await signer.sign(preAuthenticationEncoding(payloadType, payload));
  const bundle: Bundle = {
    mediaType: bundleMediaType,
    verificationMaterial: materialOf(signer),
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType,
      signatures: [{ sig: Buffer.from(signature).toString('base64'), keyid: '' }],
    },
  };
  return Buffer.from(JSON.stringify(bundle));
}

function materialOf({ keyId, certificates }: Signer): Bundle['verificationMaterial'] {
  if (!certificates) return { publicKey: { hint: keyId }, tlogEntries: [] };
  const chain = certificates.map((der) => ({ rawBytes: Buffer.from(der).toString('base64') }));
  return { x509CertificateChain: { certificates: chain }, tlogEntries: [] };
}

/**
 * Opens a bundle whose one signature is valid and by a signer of the policy.
 *
 * @param now - certificates without a time stamp must be valid then
 * @throws RefusedError `bundle-invalid`, `payload-type`, `signature-count`, `key-unknown`, `certificate-invalid`,
 * `identity-unknown` or `signature-invalid`
 */
export function openEnvelope(
  bytes: Uint8Array,
  policy: TrustPolicy,
  now: Date,
  payloadType: string = intotoPayloadType,
): OpenedEnvelope {
  const bundle = parseBundle(bytes);
  const { verificationMaterial: material, dsseEnvelope } = bundle;
  if (dsseEnvelope.payloadType !== payloadType) {
    throw new RefusedError(
      'payload-type',
      `expected a payload of type ${payloadType}, got ${JSON.stringify(dsseEnvelope.payloadType)}`,
    );
  }
  const { signatures } = dsseEnvelope;
  const [signature] = signatures;
  // A second signature would look like a second voucher, though nobody checks it.
  if (!signature || signatures.length !== 1) {
    throw new RefusedError('signature-count', `expected one signature, got ${signatures.length}`);
  }
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  const envelope: SignedEnvelope = {
    signed: preAuthenticationEncoding(payloadType, payload),
    signature: Buffer.from(signature.sig, 'base64'),
    keyId: signature.keyid ?? '',
  };
  const opened = (signer: TrustedSigner): OpenedEnvelope => {
    requireNotRevoked(signer, policy);
    const person = personOf(policy, signer.id);
    return { payload, signer: person ? { ...signer, person } : signer };
  };
  if ('publicKey' in material) return opened(byKey(envelope, material.publicKey.hint, policy));
  if ('certificate' in material) return opened(bySigstore(bundle, policy));
  const chain = material.x509CertificateChain.certificates.map(({ rawBytes }) =>
    Buffer.from(rawBytes, 'base64'),
  );
  return opened(byCertificate(envelope, chain, policy, now));
}

/** A stolen key may be revoked by its id, which is a digest, and stay listed so that the refusal says why. */
function requireNotRevoked({ id }: TrustedSigner, { revoked }: TrustPolicy): void {
  if (!revoked.some((digest) => digest === `sha256:${id}`)) return;
  throw new RefusedError('key-revoked', `expected a key that is still believed, got ${id}, which is revoked`);
}

/** What a person needs to be besides, for a statement that decides something, whatever their key is listed for. */
const accessNeeded: Partial<Record<StatementRole, AccessRole>> = {
  approval: 'approver',
  waiver: 'approver',
  revocation: 'admin',
  policy: 'admin',
};

/** Who somebody is: two keys of one person are one. */
export function identityOf({ id, person }: TrustedSigner): string {
  return person?.name ?? id;
}

/**
 * Asks whether the policy lets a signer make this kind of statement, about this endpoint where one is concerned.
 *
 * @throws RefusedError `key-not-allowed`
 */
export function requireMay(signer: TrustedSigner, role: StatementRole, endpoint?: string): void {
  if (!signer.roles.includes(role)) {
    throw new RefusedError(
      'key-not-allowed',
      `expected a signer with the role ${role}, got ${signer.id} with ${signer.roles.join(', ')}`,
    );
  }
  if (endpoint !== undefined && signer.endpoints && !signer.endpoints.includes(endpoint)) {
    throw new RefusedError(
      'key-not-allowed',
      `expected a signer for endpoint ${endpoint}, got ${signer.id} for ${signer.endpoints.join(', ') || 'none'}`,
    );
  }
  const { person } = signer;
  const access = accessNeeded[role];
  if (!person || !access) return;
  const places = endpoint === undefined ? Object.keys(person.roles) : [endpoint];
  if (places.some((place) => hasRole(person, access, place))) return;
  throw new RefusedError(
    'role-missing',
    `expected a statement by a person with the role ${access}${endpoint === undefined ? '' : ` for endpoint ${endpoint}`}, got one by ${person.name}`,
  );
}
