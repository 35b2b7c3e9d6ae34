import { createHash, createPublicKey } from 'node:crypto';
import type { KMSClientConfig, SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { RefusedError, TransientError } from '../../errors/index.js';
import { hashOf, keyIdOf, pemOf, readKey } from '../keys.js';
import type { Signer } from './signer.js';

const algorithms: Readonly<Record<string, SigningAlgorithmSpec>> = {
  sha256: 'ECDSA_SHA_256',
  sha384: 'ECDSA_SHA_384',
  sha512: 'ECDSA_SHA_512',
};

/** What KMS will say again, however often it is asked. */
const finalErrors: ReadonlySet<string> = new Set([
  ...['NotFoundException', 'DisabledException', 'InvalidKeyUsageException', 'KMSInvalidStateException'],
  ...['AccessDeniedException', 'UnsupportedOperationException', 'InvalidArnException', 'ValidationException'],
]);

/**
 * A key that never leaves AWS KMS: an asymmetric one for `SIGN_VERIFY` on P-256, P-384 or P-521. KMS gets the hash alone,
 * as messages of more than 4096 bytes must be.
 *
 * @param key - key id, ARN or `alias/…`
 * @param config - region, credentials and endpoint where they are not those that the AWS SDK finds by itself
 * @throws RefusedError `key-invalid` for a key that cannot sign like this, or that this caller may not use
 * @throws TransientError when KMS cannot be reached
 */
export async function awsKmsSigner(key: string, config: KMSClientConfig = {}): Promise<Signer> {
  // Loaded by those alone who use it: it is large.
  const { GetPublicKeyCommand, KMSClient, SignCommand } = await import('@aws-sdk/client-kms');
  const client = new KMSClient(config);
  const { PublicKey: der } = await asked(() => client.send(new GetPublicKeyCommand({ KeyId: key })));
  const publicKey = readKey(
    () => createPublicKey({ key: Buffer.from(der ?? []), format: 'der', type: 'spki' }),
    'public',
  );
  const hash = hashOf(publicKey);
  return {
    keyId: keyIdOf(pemOf(publicKey)),
    publicKey: pemOf(publicKey),
    async sign(bytes) {
      const command = new SignCommand({
        KeyId: key,
        Message: createHash(hash).update(bytes).digest(),
        MessageType: 'DIGEST',
        SigningAlgorithm: algorithms[hash],
      });
      const { Signature: signature } = await asked(() => client.send(command));
      if (!signature) throw new TransientError(`expected a signature from KMS key ${key}, got none`);
      return signature;
    },
  };
}

async function asked<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const { name, message } = error as Error;
    if (finalErrors.has(name)) throw new RefusedError('key-invalid', `KMS refuses: ${name}: ${message}`);
    throw new TransientError(`KMS does not answer: ${name}`, { cause: error });
  }
}
