import { createHash, createPublicKey, type KeyObject, verify as verifyWith } from 'node:crypto';
import { RefusedError } from '../errors/index.js';

export const curves = ['P-256', 'P-384', 'P-521'] as const;
export type Curve = (typeof curves)[number];

/** The hash of each curve, after the algorithm registry of Sigstore's protobuf-specs. */
const curveHashes: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/**
 * Reads a public key.
 *
 * @param pem - SubjectPublicKeyInfo of a P-256, P-384 or P-521 key
 * @throws RefusedError `key-invalid`, also for a private key: a verifier has no business with one
 */
export function readPublicKey(pem: string): KeyObject {
  // createPublicKey would derive the public half of a private key.
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) throw keyInvalid('public', 'another text');
  return readKey(() => createPublicKey(pem), 'public');
}

/**
 * The name of a public key: SHA-256 of its PEM text as OpenSSL writes it (64 columns, newline at the end), hex. The
 * OpenSSF Model Signing tool uses the same hint.
 *
 * @throws RefusedError `key-invalid`
 */
export function keyIdOf(publicKey: string): string {
  return createHash('sha256')
    .update(pemOf(readPublicKey(publicKey)))
    .digest('hex');
}

/** Whether a DER ECDSA signature is of these bytes by this key, with the hash that belongs to the key's curve. */
export function signatureHolds(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verifyWith(hashOf(key), bytes, key, signature);
}

/** A public key as SubjectPublicKeyInfo, PEM. */
export function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** The name of the hash that belongs to the curve of a key, as OpenSSL calls it. */
export function hashOf(key: KeyObject): string {
  return curveHashes[key.asymmetricKeyDetails?.namedCurve ?? '']!;
}

/**
 * Takes a key from wherever it comes, if it is one that signatures here are made with.
 *
 * @throws RefusedError `key-invalid`, whatever `read` throws: its message might hold some of the key
 */
export function readKey(read: () => KeyObject, half: 'private' | 'public'): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    throw keyInvalid(half, 'something else');
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== 'ec' || !curve || !(curve in curveHashes)) {
    throw keyInvalid(half, `a key of type ${[key.asymmetricKeyType, curve].filter(Boolean).join(' ')}`);
  }
  return key;
}

function keyInvalid(half: 'private' | 'public', got: string): RefusedError {
  return new RefusedError(
    'key-invalid',
    `expected the PEM text of an elliptic-curve ${half} key on P-256, P-384 or P-521, got ${got}`,
  );
}
