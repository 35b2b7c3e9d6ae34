import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { type Digest, digestSchema } from '../../core/spec/index.js';
import { openSigner, type Signer } from '../../core/trust/index.js';
import type { CliContext } from '../context.js';

/** How a command that signs in a person's name is told the key. */
export interface SigningOptions {
  readonly key?: string;
  readonly passphrase?: string;
}

export function addSigningOptions(command: Command): Command {
  return command
    .option('--key <file>', 'PEM file or awskms:///…; default: the signing key of the state folder')
    .option('--passphrase <reference>', 'where the passphrase of the key is kept: env:NAME, file:PATH, …');
}

export function signWith({ paths }: CliContext, { key, passphrase }: SigningOptions): Promise<Signer> {
  return openSigner({ key: key ?? paths.privateKey, ...(passphrase && { passphrase }) });
}

/** @throws RefusedError `digest-invalid` */
export function readDigest(text: string): Digest {
  const digest = digestSchema.safeParse(text);
  if (digest.success) return digest.data;
  throw new RefusedError('digest-invalid', `expected sha256: and 64 lower-case hex digits, got ${text}`);
}
