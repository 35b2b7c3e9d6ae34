import type { Command } from 'commander';
import { type QuarantinedRow, type QuarantineSet, readQuarantine } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import type { Digest } from '../../core/spec/index.js';
import { openStore, type Store } from '../../core/store/index.js';
import { attestRowRelease } from '../../core/trust/index.js';
import { type CliContext, mark } from '../context.js';
import { addSigningOptions, nameOf, readDigest, type SigningOptions, signWith } from './sign-with.js';

/** Rows that a person is shown; `--json` has them all. */
const SHOWN = 20;

interface QuarantineOptions extends SigningOptions {
  readonly release?: readonly string[];
  readonly reason?: string;
}

/** `assay data quarantine DIGEST`: what was set aside, and why; with `--release`, a person lets rows in. */
export function registerQuarantine(data: Command, context: () => CliContext): void {
  const command = data
    .command('quarantine')
    .description('list the rows that a run set aside, or let some of them in')
    .argument('<digest>', 'the quarantine set, as the run or its data statement names it')
    .option('--release <rows...>', 'rows to let in, by number, id or digest; `all`: those that can be')
    .option('--reason <text>', 'why they may go in; it becomes part of the signed statement');
  addSigningOptions(command).action(async (text: string, options: QuarantineOptions) => {
    const cli = context();
    const digest = readDigest(text);
    const store = await openStore(cli.paths.store);
    const set = await readQuarantine(store, digest);
    if (options.release) await releaseFrom(cli, store, digest, set, options.release, options);
    else listQuarantine(cli, digest, set);
  });
}

function listQuarantine(cli: CliContext, digest: Digest, { head, rows }: QuarantineSet): void {
  cli.say(
    mark.bold(`${head.rows} rows of ${head.source} were set aside`),
    ...rows.slice(0, SHOWN).flatMap(rowLines),
    ...(rows.length > SHOWN ? [mark.dim(`and ${rows.length - SHOWN} more; --json has them all`)] : []),
  );
  cli.emit({ ...head, digest, listed: rows });
}

async function releaseFrom(
  cli: CliContext,
  store: Store,
  digest: Digest,
  { head, rows }: QuarantineSet,
  named: readonly string[],
  options: QuarantineOptions,
): Promise<void> {
  const { reason } = options;
  if (!reason?.trim()) throw new RefusedError('usage', 'expected --reason, which the statement repeats');
  const all = named.length === 1 && named[0] === 'all';
  const chosen = all
    ? rows.filter(({ releasable }) => releasable)
    : named.map((name) => {
        const row = rows.find((one) => String(one.row) === name || one.digest === name || one.id === name);
        if (!row) throw new RefusedError('not-found', `expected a row of the set, got ${name}`);
        return row;
      });
  const stuck = chosen.find(({ releasable }) => !releasable);
  if (stuck || chosen.length === 0) {
    const what = stuck ? `row ${stuck.row}, which the model cannot take as it is` : 'none';
    throw new RefusedError('data-refused', `expected rows that a person may let in, got ${what}`);
  }
  const signer = await signWith(cli, options);
  const decision = {
    source: head.source,
    rows: [...new Set(chosen.map((row) => row.digest))],
    person: await nameOf(cli, signer),
    reason,
  };
  const statement = await attestRowRelease(store, signer, digest, decision, new Date());
  cli.say(
    `${chosen.length} rows may go in: the next run of this source takes them.`,
    `Statement ${statement}`,
  );
  cli.emit({ statement, rows: decision.rows });
}

function rowLines({ row, id, digest, reasons, releasable }: QuarantinedRow): readonly string[] {
  return [
    `row ${row}${id === null ? '' : ` (${JSON.stringify(id)})`}  ${digest}${releasable ? '' : '  only to be corrected at its source'}`,
    ...reasons.map(
      ({ rule, column, expected }) =>
        `  ${rule}${column === null ? '' : ` of ${JSON.stringify(column)}`}: expected ${expected}`,
    ),
  ];
}
