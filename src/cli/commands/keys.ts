import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { resolveSecret } from '../../core/secrets/index.js';
import {
  accessOfOne,
  type Curve,
  createTrustPolicy,
  curves,
  generateSigningKey,
  openSigner,
  type SigningKey,
  writeTrustPolicy,
} from '../../core/trust/index.js';
import { type CliContext, currentUser } from '../context.js';
import { type StatePaths, writeFileWhole } from '../state.js';
import { readTrustFile } from '../trust-file.js';
import { clientCommands } from './clients.js';

/** `assay keys`: the signing key with its trust policy, and the keys of those who may ask for predictions. */
export function registerKeys(program: Command, context: () => CliContext): void {
  const keys = program.command('keys').description('make and list keys');
  keys
    .command('init')
    .description('make a signing key and the trust policy that believes it')
    .addOption(curveOption())
    .option('--passphrase <reference>', passphraseHelp)
    .action(async (options: KeyOptions) => {
      const cli = context();
      const { keyId } = await createSigningKey(cli.paths, options);
      createRecordsKey(cli.paths);
      cli.say(
        `Signing key ${keyId}`,
        `  private half  ${cli.paths.privateKey} (only signing workers may read it)`,
        `  records key   ${cli.paths.recordsKey} (the same on every worker)`,
        `  public half   ${cli.paths.publicKey}`,
        `  trust policy  ${cli.paths.trust} (give it to every gateway and verifier)`,
        `  people        ${currentUser()}, who may do everything alone: \`assay trust draft --person\` names others`,
      );
      cli.emit({ keyId, publicKey: cli.paths.publicKey, trust: cli.paths.trust });
    });
  keys
    .command('create')
    .description('make a signing key of its own: a private file, and its public half beside it')
    .argument('<file>', 'where the private half goes; the public one gets .pub.pem for its ending')
    .addOption(curveOption())
    .option('--passphrase <reference>', passphraseHelp)
    .action(async (file: string, options: KeyOptions) => {
      const cli = context();
      const publicFile = `${file.replace(/\.pem$/, '')}.pub.pem`;
      const { keyId } = await writeSigningKey(file, publicFile, options);
      cli.say(`Signing key ${keyId}`, `  private half  ${file}`, `  public half   ${publicFile}`);
      cli.emit({ keyId, privateKey: file, publicKey: publicFile });
    });
  keys
    .command('show')
    .description('show the id and the public half of a key that signs')
    .argument('<key>', 'a PEM file, or awskms:/// and a key id, ARN or alias of AWS KMS')
    .option('--passphrase <reference>', passphraseHelp)
    .action(async (key: string, { passphrase }: KeyOptions) => {
      const cli = context();
      const { keyId, publicKey } = await openSigner({ key, ...(passphrase && { passphrase }) });
      cli.say(`Key ${keyId}`, publicKey.trimEnd());
      cli.emit({ keyId, publicKey });
    });
  keys
    .command('list')
    .description('list the keys that the trust policy believes')
    .action(() => {
      const cli = context();
      const { keys: believed } = readTrustFile(cli.paths.trust);
      cli.say(...believed.map(({ id, roles }) => `${id}  ${roles.join(', ')}`));
      cli.emit(believed);
    });

  clientCommands(keys, context);
}

interface KeyOptions {
  readonly curve?: Curve;
  readonly passphrase?: string;
}

const passphraseHelp =
  'where the passphrase of the private half is kept: env:NAME, file:PATH, aws-sm:…, vault:…';

function curveOption(): Option {
  return new Option('--curve <name>', 'elliptic curve').choices([...curves]).default('P-256');
}

/**
 * Makes a key pair and the policy that believes it.
 *
 * @throws RefusedError `key-exists`, `secret-missing`
 */
export async function createSigningKey(
  paths: StatePaths,
  options: KeyOptions = {},
): Promise<{ keyId: string }> {
  if (existsSync(paths.trust)) throw new RefusedError('key-exists', `${paths.trust} exists.`);
  const key = await writeSigningKey(paths.privateKey, paths.publicKey, options);
  // Whoever has the key has the installation: the only person there is may do everything, alone.
  const { publicKey } = key;
  const access = accessOfOne(currentUser(), publicKey);
  writeFileWhole(paths.trust, writeTrustPolicy(createTrustPolicy([{ publicKey }], {}, access)));
  return key;
}

async function writeSigningKey(
  privateFile: string,
  publicFile: string,
  { curve, passphrase }: KeyOptions,
): Promise<SigningKey> {
  for (const file of [privateFile, publicFile]) {
    if (existsSync(file)) throw new RefusedError('key-exists', `${file} exists.`);
  }
  const key = await generateSigningKey(passphrase && (await resolveSecret(passphrase)), curve);
  writeFileWhole(privateFile, key.privateKey, 0o600);
  writeFileWhole(publicFile, key.publicKey);
  return key;
}

/** Makes the secret with which workers seal what they record, unless there is one. */
export function createRecordsKey({ recordsKey }: StatePaths): void {
  if (!existsSync(recordsKey)) writeFileWhole(recordsKey, `${randomBytes(32).toString('hex')}\n`, 0o600);
}
