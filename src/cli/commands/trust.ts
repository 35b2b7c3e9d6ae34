import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { type Digest, digestSchema } from '../../core/spec/index.js';
import { digestOfJson, openStore } from '../../core/store/index.js';
import {
  appendDecision,
  createTrustPolicy,
  followPolicy,
  openSigner,
  type SignerSettings,
  type StatementRole,
  signSuccessor,
  statementRoles,
  type TrustPolicy,
  trustPolicySchema,
  writeTrustPolicy,
} from '../../core/trust/index.js';
import { type CliContext, currentUser, mark } from '../context.js';
import { readTrustFile } from '../trust-file.js';

interface DraftOptions {
  readonly believe: readonly string[];
  readonly role?: readonly string[];
  readonly distrust: readonly string[];
  readonly revoke: readonly Digest[];
  readonly expires?: string;
}

/** `assay trust`: the policy that verifiers believe, and how it is replaced without visiting any of them. */
export function registerTrust(program: Command, context: () => CliContext): void {
  const trust = program
    .command('trust')
    .description('show, draft and sign the policy that verifiers believe');
  trust
    .command('show')
    .description('show the policy in force: the one in the state folder, or its newest signed successor')
    .action(async () => {
      const cli = context();
      const { policy } = await inForce(cli);
      cli.say(
        mark.bold(
          `Revision ${policy.revision}, ${policy.expires ? `until ${policy.expires}` : 'without end'}`,
        ),
      );
      for (const { id, roles, endpoints } of policy.keys) {
        cli.say(`  ${id}  ${roles.join(', ')}${endpoints ? ` for ${endpoints.join(', ')}` : ''}`);
      }
      for (const digest of policy.revoked) cli.say(`  revoked  ${digest}`);
      cli.emit(policy);
    });
  trust
    .command('draft')
    .description('write what is to replace the policy in force, for people to review and sign')
    .argument('<file>', 'where the draft goes')
    .option('--believe <file...>', 'public keys (PEM) to believe besides', [])
    .option('--role <name...>', `what they may vouch for: ${statementRoles.join(', ')}; default: all`)
    .option('--distrust <id...>', 'ids of keys that are no longer believed', [])
    .option(
      '--revoke <digest...>',
      'models, snapshots and statements that are no longer believed',
      readDigest,
      [],
    )
    .option('--expires <time>', 'when the policy ends (ISO 8601); default: as before')
    .action(async (file: string, options: DraftOptions) => {
      const cli = context();
      if (existsSync(file)) throw new RefusedError('file-exists', `${file} exists.`);
      const { policy } = await inForce(cli);
      const successor = draft(policy, options);
      writeFileSync(file, writeTrustPolicy(successor), { flag: 'wx' });
      cli.say(
        `Revision ${successor.revision} is drafted in ${file}. Review it, then: assay trust sign ${file} --key …`,
      );
      cli.emit({ file, revision: successor.revision });
    });
  trust
    .command('sign')
    .description('sign a draft and publish it; it is in force once enough have signed')
    .argument('<file>', 'the draft')
    .option('--key <file>', 'PEM file or awskms:///…; default: the signing key of the state folder')
    .option('--passphrase <reference>', 'where the passphrase of the key is kept: env:NAME, file:PATH, …')
    .action(async (file: string, { key, passphrase }: Partial<SignerSettings>) => {
      const cli = context();
      const successor = readTrustFile(file);
      const { policy, store } = await inForce(cli);
      const signer = await openSigner({
        key: key ?? cli.paths.privateKey,
        ...(passphrase && { passphrase }),
      });
      // Once it is in force, further signatures change nothing, and the one before it is not to be found any more.
      const settled = digestOfJson(successor) === digestOfJson(policy);
      if (settled) throw new RefusedError('usage', `Revision ${successor.revision} is in force already.`);
      const { signers, needed } = await signSuccessor(store, signer, policy, successor, new Date());
      const now = await followPolicy(store, policy, new Date());
      const enforced = digestOfJson(now) === digestOfJson(successor);
      const revoked = successor.revoked.filter((digest) => !policy.revoked.includes(digest));
      for (const subject of enforced ? revoked : []) {
        const at = new Date().toISOString();
        const reason = `trust policy, revision ${successor.revision}`;
        const entry = { version: 1, decision: 'revoked', subject, by: currentUser(), reason, at } as const;
        await appendDecision(store, signer, now, entry);
      }
      cli.say(
        `${signers.length} of ${needed} signatures by those who may.`,
        enforced ? `Revision ${successor.revision} is in force.` : 'It is not in force yet.',
      );
      cli.emit({ revision: successor.revision, signers, needed, inForce: enforced });
    });
}

async function inForce({ paths }: CliContext) {
  const store = await openStore(paths.store);
  return { store, policy: await followPolicy(store, readTrustFile(paths.trust), new Date()) };
}

/** @throws RefusedError `key-unknown` for a key to distrust that the policy does not have; `trust-policy-invalid` */
function draft(policy: TrustPolicy, { believe, role, distrust, revoke, expires }: DraftOptions): TrustPolicy {
  const unknown = distrust.find((id) => !policy.keys.some((key) => key.id === id));
  if (unknown) throw new RefusedError('key-unknown', `The policy has no key ${unknown}.`);
  const roles = (role ?? statementRoles) as StatementRole[];
  const added = believe.map((file) => ({ publicKey: readFileSync(file, 'utf8'), roles }));
  const keys = [
    ...policy.keys.filter(({ id }) => !distrust.includes(id)),
    ...(added.length > 0 ? createTrustPolicy(added).keys : []),
  ];
  const parsed = trustPolicySchema.safeParse({
    ...policy,
    revision: policy.revision + 1,
    keys,
    revoked: [...new Set([...policy.revoked, ...revoke])],
    ...(expires && { expires: new Date(expires).toISOString() }),
  });
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new RefusedError('trust-policy-invalid', 'The draft would be no trust policy.', details);
}

function readDigest(text: string, before: readonly Digest[]): readonly Digest[] {
  const digest = digestSchema.safeParse(text);
  if (!digest.success) throw new InvalidArgumentError('expected sha256: and 64 lower-case hex digits');
  return [...before, digest.data];
}
