import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign as signWith,
  verify as verifyWith,
} from 'node:crypto';
import { promisify } from 'node:util';
import { RefusedError } from '../errors/index.js';

/** Whoever holds a private key: a file on a signing worker, a KMS, an HSM. */
export interface Signer {
  /** SHA-256 of the public key's PEM text, hex. */
  readonly keyId: string;
  /** Signs bytes: ECDSA, DER, over the hash that belongs to the curve. Two signatures of equal bytes differ. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A new key pair as PEM texts. The private half is PKCS#8 and unencrypted: write it with mode 0600. */
export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The hash of each curve, after the algorithm registry of Sigstore's protobuf-specs. */
const curveHashes: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** Makes a P-256 key pair from the operating system's random numbers. */
export async function generateSigningKey(): Promise<SigningKey> {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const publicKey = pemOf(pair.publicKey);
  return {
    keyId: keyIdOf(publicKey),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey,
  };
}

/**
 * Reads a private key.
 *
 * @param pem - an unencrypted PEM text: PKCS#8 or SEC 1; P-256, P-384 or P-521
 * @throws RefusedError `key-invalid`; its message never holds any of the text
 */
export function readSigner(pem: string): Signer {
  const key = readKey(() => createPrivateKey(pem), 'private');
  return {
    keyId: keyIdOf(pemOf(createPublicKey(key))),
    sign: (bytes) => promisify(signWith)(hashOf(key), bytes, key),
  };
}

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

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function hashOf(key: KeyObject): string {
  return curveHashes[key.asymmetricKeyDetails?.namedCurve ?? '']!;
}

function readKey(read: () => KeyObject, half: 'private' | 'public'): KeyObject {
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
