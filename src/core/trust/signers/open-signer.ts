import { readFile } from 'node:fs/promises';
import { resolveSecret } from '../../secrets/index.js';
import { awsKmsSigner } from './aws-kms.js';
import { certifiedSigner } from './certified.js';
import { readSigner } from './local-key.js';
import type { Signer } from './signer.js';

export interface SignerSettings {
  /** A PEM file, or `awskms:///` and a key id, ARN or alias of AWS KMS. */
  readonly key: string;
  /** Reference to the passphrase of an encrypted file: `env:NAME`, `file:PATH`, … */
  readonly passphrase?: string;
  /** PEM file of the certificate chain by which verifiers know the key. */
  readonly certificates?: string;
}

/**
 * Opens the key that a signing worker is told to use, wherever it is.
 *
 * @throws RefusedError `key-invalid`, `key-locked`, `secret-missing` or `certificate-invalid`; TransientError
 */
export async function openSigner({ key, passphrase, certificates }: SignerSettings): Promise<Signer> {
  const kms = /^awskms:\/\/\/(.+)$/.exec(key);
  const signer = kms
    ? await awsKmsSigner(kms[1]!)
    : readSigner(await readFile(key, 'utf8'), passphrase && (await resolveSecret(passphrase)));
  return certificates ? certifiedSigner(signer, await readFile(certificates, 'utf8')) : signer;
}
