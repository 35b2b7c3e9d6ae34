import { createPrivateKey, createPublicKey, generateKeyPair, sign as signWith } from 'node:crypto';
import { promisify } from 'node:util';
import { RefusedError } from '../../errors/index.js';
import { type Curve, hashOf, keyIdOf, pemOf, readKey } from '../keys.js';
import type { Signer } from './signer.js';

/** A new key pair as PEM texts. */
export interface SigningKey {
  readonly keyId: string;
  /** PKCS#8; encrypted where a passphrase was given. Write it with mode 0600 in any case. */
  readonly privateKey: string;
  readonly publicKey: string;
}

/**
 * Makes a key pair from the operating system's random numbers.
 *
 * @param passphrase - encrypts the private half: PKCS#8, PBES2 with AES-256-CBC. Node derives that key in 2048 rounds of
 * PBKDF2, so it takes a passphrase that nobody guesses
 */
export async function generateSigningKey(passphrase?: string, curve: Curve = 'P-256'): Promise<SigningKey> {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: curve });
  const publicKey = pemOf(pair.publicKey);
  const encrypted = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return {
    keyId: keyIdOf(publicKey),
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem', ...encrypted }).toString(),
    publicKey,
  };
}

/**
 * Reads a private key.
 *
 * @param pem - PEM text: PKCS#8, encrypted or not, or SEC 1; P-256, P-384 or P-521
 * @throws RefusedError `key-invalid`, or `key-locked` without the right passphrase; no message holds any of the text
 */
export function readSigner(pem: string, passphrase?: string): Signer {
  if (/^\s*-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(pem)) requireUnlocked(pem, passphrase);
  const key = readKey(() => createPrivateKey({ key: pem, passphrase: passphrase ?? '' }), 'private');
  const publicKey = pemOf(createPublicKey(key));
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: (bytes) => promisify(signWith)(hashOf(key), bytes, key),
  };
}

function requireUnlocked(pem: string, passphrase: string | undefined): void {
  if (passphrase === undefined) {
    throw new RefusedError('key-locked', 'expected the passphrase of an encrypted private key, got none');
  }
  try {
    createPrivateKey({ key: pem, passphrase });
  } catch {
    throw new RefusedError('key-locked', 'expected the passphrase of an encrypted private key, got another');
  }
}
