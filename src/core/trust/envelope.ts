import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { readPublicKey, type Signer, signatureHolds } from './keys.js';
import type { StatementRole, TrustPolicy } from './policy.js';
import { parseStrictJson } from './strict-json.js';

export const intotoPayloadType = 'application/vnd.in-toto+json';
const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Buffer ignores what is not base64, and the spare bits of the last digit: one value would have many texts. */
const base64Schema = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, {
  message: 'expected canonical base64',
});

/**
 * A Sigstore bundle v0.3 with a DSSE envelope and a key known in advance. Certificates, log entries and time stamps,
 * which nothing here would check, are refused rather than ignored.
 */
const bundleSchema = z.strictObject({
  mediaType: z.literal(bundleMediaType),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string().regex(/^[0-9a-f]{64}$/) }),
    tlogEntries: z.array(z.never()).optional(),
  }),
  dsseEnvelope: z.strictObject({
    payloadType: z.string(),
    payload: base64Schema,
    signatures: z.array(z.strictObject({ sig: base64Schema, keyid: z.string().optional() })),
  }),
});

export type TrustedKey = TrustPolicy['keys'][number];

/** Signed bytes, and the key that signed them. Nobody has looked yet at what the bytes say, or whether the key may say it. */
export interface OpenedEnvelope {
  readonly payload: Uint8Array;
  readonly key: TrustedKey;
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
  const bundle: z.infer<typeof bundleSchema> = {
    mediaType: bundleMediaType,
    verificationMaterial: { publicKey: { hint: signer.keyId }, tlogEntries: [] },
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType,
      signatures: [{ sig: Buffer.from(signature).toString('base64'), keyid: '' }],
    },
  };
  return Buffer.from(JSON.stringify(bundle));
}

/**
 * Opens a bundle whose one signature is valid and by a key of the policy.
 *
 * @throws RefusedError `bundle-invalid`, `payload-type`, `signature-count`, `key-unknown` or `signature-invalid`
 */
export function openEnvelope(
  bundle: Uint8Array,
  policy: TrustPolicy,
  payloadType: string = intotoPayloadType,
): OpenedEnvelope {
  const { verificationMaterial, dsseEnvelope } = parseBundle(bundle);
  if (dsseEnvelope.payloadType !== payloadType) {
    throw new RefusedError(
      'payload-type',
      `expected a payload of type ${payloadType}, got ${JSON.stringify(dsseEnvelope.payloadType)}`,
    );
  }
  const { hint } = verificationMaterial.publicKey;
  const { signatures } = dsseEnvelope;
  const [signature] = signatures;
  // A second signature would look like a second voucher, though nobody checks it.
  if (!signature || signatures.length !== 1) {
    throw new RefusedError('signature-count', `expected one signature, got ${signatures.length}`);
  }
  const key = policy.keys.find(({ id }) => id === hint);
  if (!key || (signature.keyid !== undefined && signature.keyid !== '' && signature.keyid !== hint)) {
    throw new RefusedError(
      'key-unknown',
      `expected a key of the trust policy, got ${key ? JSON.stringify(signature.keyid) : hint}`,
    );
  }
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  const signed = preAuthenticationEncoding(payloadType, payload);
  if (!signatureHolds(readPublicKey(key.publicKey), signed, Buffer.from(signature.sig, 'base64'))) {
    throw new RefusedError(
      'signature-invalid',
      `expected a signature by key ${hint}, got one that does not fit`,
    );
  }
  return { payload, key };
}

/**
 * Asks whether the policy lets a key make this kind of statement, about this endpoint where one is concerned.
 *
 * @throws RefusedError `key-not-allowed`
 */
export function requireKeyMay(key: TrustedKey, role: StatementRole, endpoint?: string): void {
  if (!key.roles.includes(role)) {
    throw new RefusedError(
      'key-not-allowed',
      `expected a key with the role ${role}, got ${key.id} with ${key.roles.join(', ')}`,
    );
  }
  if (endpoint !== undefined && key.endpoints && !key.endpoints.includes(endpoint)) {
    throw new RefusedError(
      'key-not-allowed',
      `expected a key for endpoint ${endpoint}, got ${key.id} for ${key.endpoints.join(', ') || 'none'}`,
    );
  }
}

function parseBundle(bytes: Uint8Array): z.infer<typeof bundleSchema> {
  let json: unknown;
  try {
    json = parseStrictJson(bytes);
  } catch (error) {
    throw new RefusedError('bundle-invalid', `expected a JSON bundle: ${(error as Error).message}`);
  }
  const parsed = bundleSchema.safeParse(json);
  if (!parsed.success) {
    throw new RefusedError('bundle-invalid', `expected a bundle: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
