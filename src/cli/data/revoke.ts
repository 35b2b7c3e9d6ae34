import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import { endpointRef, readEndpointPointer } from '../../core/serving/index.js';
import type { Digest } from '../../core/spec/index.js';
import { openStore, type Store } from '../../core/store/index.js';
import {
  announceRevocation,
  attestRevocation,
  attestSource,
  followPolicy,
  onnxOf,
  type Signer,
  type TrustPolicy,
  traceLineage,
  verifyRelease,
} from '../../core/trust/index.js';
import { type CliContext, mark, withClient } from '../context.js';
import { readTrustFile } from '../trust-file.js';
import { addSigningOptions, nameOf, readDigest, type SigningOptions, signWith } from './sign-with.js';

interface RevokeOptions extends SigningOptions {
  readonly reason: string;
  readonly block?: boolean;
}

interface Affected {
  readonly endpoint: string;
  readonly revision: number;
  /** The newest revision that does not come of the data; undefined where all do. */
  readonly sound: number | undefined;
}

/** `assay data revoke DIGEST`: what came of this data is believed no more, and served no more. */
export function registerRevoke(data: Command, context: () => CliContext): void {
  const command = data
    .command('revoke')
    .description('revoke a source or a snapshot: models that came of it are refused, endpoints roll back')
    .argument('<digest>', 'the source or the snapshot')
    .requiredOption('--reason <text>', 'why; it becomes part of the signed statement')
    .option('--block', 'let endpoints answer nothing instead of rolling back');
  addSigningOptions(command).action((text: string, options: RevokeOptions) =>
    revoke(context(), readDigest(text), options),
  );
}

/** `assay data attest FILE`: somebody stands for a source. */
export function registerAttest(data: Command, context: () => CliContext): void {
  const command = data
    .command('attest')
    .description('sign where a source comes from, for policies that ask for it')
    .argument('<digest>', 'the source')
    .requiredOption('--supplier <who>', 'who made the data, or hands it on')
    .requiredOption('--name <name>', 'what it is called there')
    .option('--license <spdx>', 'the licence, as SPDX writes it')
    .option('--origin <text>', 'where it came from: a URL, or words');
  addSigningOptions(command).action(
    async (
      text: string,
      {
        key,
        passphrase,
        ...description
      }: SigningOptions & { supplier: string; name: string; license?: string; origin?: string },
    ) => {
      const cli = context();
      const store = await openStore(cli.paths.store);
      const signer = await signWith(cli, { ...(key && { key }), ...(passphrase && { passphrase }) });
      const statement = await attestSource(store, signer, readDigest(text), description, new Date());
      cli.say(`${description.supplier} stands for ${text}.`, `Statement ${statement}`);
      cli.emit({ statement });
    },
  );
}

async function revoke(cli: CliContext, digest: Digest, options: RevokeOptions): Promise<void> {
  const { reason, block } = options;
  const store = await openStore(cli.paths.store);
  const policy = await followPolicy(store, readTrustFile(cli.paths.trust), new Date());
  const before = await liveEndpoints(store, policy);
  const signer = await signWith(cli, options);
  const person = await nameOf(cli, signer);
  const statement = await attestRevocation(store, signer, digest, { person, reason }, new Date());
  cli.say(mark.bold(`${digest} is revoked`), `Statement ${statement}`);
  const { edges } = await traceLineage(store, policy, digest, new Date());
  // What was fine-tuned from a model names its file, and is refused for that.
  for (const parent of new Set(edges.filter(({ kind }) => kind === 'fine-tuned').map(({ from }) => from))) {
    const file = await onnxOf(store, parent);
    const inherited = { person, reason: `${parent} came of ${digest}: ${reason}` };
    if (file) await attestRevocation(store, signer, file, inherited, new Date());
  }
  const affected = await fallen(store, policy, before);
  const actions: { endpoint: string; action: 'rolled-back' | 'blocked' }[] = [];
  for (const { endpoint, revision, sound } of affected) {
    const rolledBack =
      !block &&
      sound !== undefined &&
      (await rollBack(cli, signer, endpoint, {
        toRevision: sound,
        reason: `data ${digest} was revoked: ${reason}`,
      }));
    actions.push({ endpoint, action: rolledBack ? 'rolled-back' : 'blocked' });
    cli.say(
      rolledBack
        ? `  ${mark.good} ${endpoint}: revision ${revision} came of it; rolled back to the model of revision ${sound}`
        : `  ${mark.bad} ${endpoint}: revision ${revision} came of it; gateways serve nothing there any more`,
    );
  }
  // Announced last: gateways that look now find what was rolled back to.
  await announceRevocation(store, statement);
  if (affected.length === 0) cli.say('  No endpoint serves anything that came of it.');
  cli.emit({ revoked: digest, statement, endpoints: actions });
}

/** Endpoints whose live release holds. */
async function liveEndpoints(store: Store, policy: TrustPolicy): Promise<readonly string[]> {
  const names = (await store.listRefs('endpoints/')).map((ref) => ref.slice('endpoints/'.length));
  const live: string[] = [];
  for (const name of names) {
    const [newest] = await revisionsOf(store, name);
    if (newest && (await verifyRelease(store, policy, newest.release, { endpoint: name })).ok)
      live.push(name);
  }
  return live;
}

/** Of these, the ones whose live release holds no more, and what they may go back to. */
async function fallen(
  store: Store,
  policy: TrustPolicy,
  endpoints: readonly string[],
): Promise<readonly Affected[]> {
  const affected: Affected[] = [];
  for (const endpoint of endpoints) {
    const [newest, ...older] = await revisionsOf(store, endpoint);
    if (!newest || (await verifyRelease(store, policy, newest.release, { endpoint })).ok) continue;
    let sound: number | undefined;
    for (const { release, revision } of older) {
      if (!(await verifyRelease(store, policy, release, { endpoint })).ok) continue;
      sound = revision;
      break;
    }
    affected.push({ endpoint, revision: newest.revision, sound });
  }
  return affected;
}

async function revisionsOf(store: Store, endpoint: string) {
  const revisions = [];
  for await (const { value } of store.refHistory(endpointRef(endpoint)))
    revisions.push(readEndpointPointer(endpoint, value));
  return revisions;
}

/** @returns whether it was done; without a server nobody can, and the endpoint is blocked */
async function rollBack(
  cli: CliContext,
  signer: Signer,
  endpoint: string,
  wish: { readonly toRevision: number; readonly reason: string },
): Promise<boolean> {
  try {
    await withClient(cli, (client) => client.rollback(endpoint, wish), signer);
    return true;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    cli.say(`  ${mark.bad} ${endpoint} was not rolled back: ${error.message}`);
    return false;
  }
}
