import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { type Digest, digestSchema } from '../../core/spec/index.js';
import { digestOfJson, openStore } from '../../core/store/index.js';
import {
  type AccessRole,
  accessRoles,
  appendDecision,
  createTrustPolicy,
  followPolicy,
  keyIdOf,
  type Person,
  type StatementRole,
  signSuccessor,
  statementRoles,
  type TrustPolicy,
  trustPolicySchema,
  writeTrustPolicy,
} from '../../core/trust/index.js';
import { type CliContext, mark } from '../context.js';
import { addSigningOptions, nameOf, type SigningOptions, signWith } from '../data/sign-with.js';
import { readTrustFile } from '../trust-file.js';

interface DraftOptions {
  readonly believe: readonly string[];
  readonly role?: readonly string[];
  readonly distrust: readonly string[];
  readonly succeeds?: string;
  readonly person?: string;
  readonly access?: readonly AccessRole[];
  readonly at: readonly string[];
  readonly separate?: boolean;
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
      for (const { name, roles } of policy.people ?? [])
        for (const [place, held] of Object.entries(roles))
          cli.say(`  ${name}  ${held.join(', ')} at ${place === '*' ? 'every endpoint' : place}`);
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
    .option('--succeeds <id>', 'the key whose roles and owner they take, beside it')
    .option(
      '--person <name>',
      'whose keys those are: they may sign requests and nothing else, unless --role says so',
    )
    .addOption(
      new Option('--access <role...>', 'what that person may do')
        .choices([...accessRoles])
        .default(['viewer']),
    )
    .option('--at <endpoint...>', 'where that person may; default: at every endpoint', ['*'])
    .option('--separate', 'whoever asked for a run may not approve it')
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
  addSigningOptions(
    trust
      .command('sign')
      .description('sign a draft and publish it; it is in force once enough have signed')
      .argument('<file>', 'the draft'),
  ).action(async (file: string, options: SigningOptions) => {
    const cli = context();
    const successor = readTrustFile(file);
    const { policy, store } = await inForce(cli);
    const signer = await signWith(cli, options);
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
      const entry = {
        version: 1,
        decision: 'revoked',
        subject,
        by: await nameOf(cli, signer),
        reason,
        at,
      } as const;
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
function draft(policy: TrustPolicy, options: DraftOptions): TrustPolicy {
  const { believe, role, distrust, revoke, expires, person, separate, succeeds } = options;
  const unknown = [...distrust, ...(succeeds ? [succeeds] : [])].find(
    (id) => !policy.keys.some((key) => key.id === id),
  );
  if (unknown) throw new RefusedError('key-unknown', `The policy has no key ${unknown}.`);
  const inherited = policy.keys.find(({ id }) => id === succeeds);
  const roles = (role ?? inherited?.roles ?? (person ? ['request'] : statementRoles)) as StatementRole[];
  const endpoints = inherited?.endpoints && { endpoints: inherited.endpoints };
  const added = believe.map((file) => ({ publicKey: readFileSync(file, 'utf8'), roles, ...endpoints }));
  const ids = added.map(({ publicKey }) => keyIdOf(publicKey));
  const fresh = added.filter((_, index) => !policy.keys.some(({ id }) => id === ids[index]));
  const keys = [
    ...policy.keys.filter(({ id }) => !distrust.includes(id)),
    ...(fresh.length > 0 ? createTrustPolicy(fresh).keys : []),
  ];
  const people = peopleAfter(policy, options, ids);
  const { people: _, ...rest } = policy;
  const parsed = trustPolicySchema.safeParse({
    ...rest,
    revision: policy.revision + 1,
    keys,
    ...(people.length > 0 && { people }),
    ...(separate && { separationOfDuties: 'enforced' }),
    revoked: [...new Set([...policy.revoked, ...revoke])],
    ...(expires && { expires: new Date(expires).toISOString() }),
  });
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new RefusedError('trust-policy-invalid', 'The draft would be no trust policy.', details);
}

/** Keys that are dropped are nobody's any more, and those of a person join what the person had. */
function peopleAfter(
  { people = [] }: TrustPolicy,
  { distrust, succeeds, person: named, access = [], at }: DraftOptions,
  ids: readonly string[],
): readonly Person[] {
  const owner = people.find(({ signers }) => succeeds !== undefined && signers.includes(succeeds));
  const name = named ?? owner?.name;
  const before = people.find((person) => person.name === name);
  const given = named ? Object.fromEntries(at.map((place) => [place, [...access]])) : {};
  const signers = [...new Set([...(before?.signers ?? []), ...ids])];
  const changed = name ? [{ name, signers, roles: { ...before?.roles, ...given } }] : [];
  const others = people.filter((person) => person !== before);
  return [...others, ...changed]
    .map((person) => ({ ...person, signers: person.signers.filter((id) => !distrust.includes(id)) }))
    .filter(({ signers }) => signers.length > 0);
}

function readDigest(text: string, before: readonly Digest[]): readonly Digest[] {
  const digest = digestSchema.safeParse(text);
  if (!digest.success) throw new InvalidArgumentError('expected sha256: and 64 lower-case hex digits');
  return [...before, digest.data];
}
