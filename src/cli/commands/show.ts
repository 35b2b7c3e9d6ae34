import type { Command } from 'commander';
import { RefusedError } from '../../core/errors/index.js';
import type { Digest } from '../../core/spec/index.js';
import { openStore, type Store } from '../../core/store/index.js';
import {
  followPolicy,
  readBom,
  type ShownArtifact,
  type ShownStatement,
  showArtifact,
} from '../../core/trust/index.js';
import type { CliContext } from '../context.js';
import { readTrustFile } from '../trust-file.js';

interface ShowOptions {
  readonly trust?: string;
  readonly bom?: boolean;
}

/** `assay show DIGEST`: every statement about a model, a snapshot or a release. */
export function registerShow(program: Command, context: () => CliContext): void {
  program
    .command('show')
    .description(
      'list every statement about a model, snapshot, source or release: by whom, and whether it verifies',
    )
    .argument('<digest>', 'its digest, or the first 8 hex digits of it or more')
    .option('--trust <file>', 'trust policy; default: the one in the state folder')
    .option('--bom', 'print its CycloneDX bill of materials instead, as JSON')
    .action(async (text: string, { trust, bom }: ShowOptions) => {
      const cli = context();
      const store = await openStore(cli.paths.store);
      const now = new Date();
      const policy = await followPolicy(store, readTrustFile(trust ?? cli.paths.trust), now);
      const digest = await oneDigest(store, text);
      if (bom) {
        process.stdout.write(`${JSON.stringify(await readBom(store, policy, digest, now), null, 2)}\n`);
        return;
      }
      const shown = await showArtifact(store, policy, digest, now);
      // What is not verified may hold anything, such as what moves a terminal's cursor.
      cli.say(...lines(shown).map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd')));
      cli.emit(shown);
    });
}

/** @throws RefusedError `digest-invalid`, `digest-ambiguous` or `not-found` */
async function oneDigest(store: Store, text: string): Promise<Digest> {
  const [digest, ...others] = await store.findDigests(text);
  if (!digest)
    throw new RefusedError('not-found', `The store holds nothing whose digest begins with ${text}.`);
  if (others.length === 0) return digest;
  const all = [digest, ...others];
  throw new RefusedError(
    'digest-ambiguous',
    `expected one digest that begins with ${text}, got ${all.length}`,
    all,
  );
}

function lines({ digest, kind, statements, madeOf, usedBy, revoked }: ShownArtifact): readonly string[] {
  const link = ({ relation, digest: other }: { relation: string; digest: Digest }) =>
    `    ${relation}: ${other}`;
  return [
    `${kind} ${digest}`,
    ...revoked.map((by) => `✗ revoked by ${by}`),
    `  ${statements.length} statements`,
    ...statements.flatMap(statementLines),
    ...(madeOf.length > 0 ? ['  made of', ...madeOf.map(link)] : []),
    ...(usedBy.length > 0 ? ['  used by', ...usedBy.map(link)] : []),
  ];
}

function statementLines(statement: ShownStatement): readonly string[] {
  const { envelope, title, about, at, signer, verified, failure } = statement;
  const by = signer === undefined ? '' : `${verified ? 'by' : 'claims to be by'} ${signer}`;
  return [
    `  ${verified ? '✓' : '✗'} ${title}${about === '' ? '' : `: ${about}`}`,
    `      ${[by, at, envelope].filter(Boolean).join('  ')}`,
    ...(failure ? [`      not verified: ${failure.code}: ${failure.message}`] : []),
  ];
}
