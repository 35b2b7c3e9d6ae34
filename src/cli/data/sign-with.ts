import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { type Digest, digestSchema } from '../../core/spec/index.js';
import { openStore } from '../../core/store/index.js';
import { followPolicy, openSigner, personOf, type Signer } from '../../core/trust/index.js';
import { type CliContext, currentUser } from '../context.js';
import { readTrustFile } from '../trust-file.js';

/** How a command that signs in a person's name is told the key. */
export interface SigningOptions {
  readonly key?: string;
  readonly passphrase?: string;
  readonly certificates?: string;
}

export function addSigningOptions(command: Command): Command {
  return command
    .option(
      '--key <file>',
      'your key: PEM file or awskms:///…; default: ASSAY_KEY, or the signing key of the state folder',
    )
    .option('--passphrase <reference>', 'where the passphrase of the key is kept: env:NAME, file:PATH, …')
    .option('--certificates <file>', 'PEM file of the certificate chain by which verifiers know the key');
}

/** Opens the key of whoever is at the keyboard. */
export function signWith(
  { paths }: CliContext,
  { key = process.env.ASSAY_KEY, passphrase = process.env.ASSAY_PASSPHRASE, certificates }: SigningOptions,
): Promise<Signer> {
  return openSigner({
    key: key ?? paths.privateKey,
    ...(passphrase && { passphrase }),
    ...(certificates && { certificates }),
  });
}

/** Who the owner of a key is, by the policy in force; by their own account where it names no people. */
export async function nameOf({ paths }: CliContext, { keyId }: Signer): Promise<string> {
  const policy = await followPolicy(await openStore(paths.store), readTrustFile(paths.trust), new Date());
  return personOf(policy, keyId)?.name ?? currentUser();
}

/** @throws RefusedError `digest-invalid` */
export function readDigest(text: string): Digest {
  const digest = digestSchema.safeParse(text);
  if (digest.success) return digest.data;
  throw new RefusedError('digest-invalid', `expected sha256: and 64 lower-case hex digits, got ${text}`);
}
