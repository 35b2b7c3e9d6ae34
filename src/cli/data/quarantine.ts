import type { Command } from 'commander';
import { type QuarantinedRow, readQuarantine } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';
import { digestSchema } from '../../core/spec/index.js';
import { openStore } from '../../core/store/index.js';
import { type CliContext, mark } from '../context.js';

/** Rows that a person is shown; `--json` has them all. */
const SHOWN = 20;

/** `assay data quarantine DIGEST`: what was set aside, and why. */
export function registerQuarantine(data: Command, context: () => CliContext): void {
  data
    .command('quarantine')
    .description('list the rows that a run set aside')
    .argument('<digest>', 'the quarantine set, as the run or its data statement names it')
    .action((digest: string) => listQuarantine(context(), digest));
}

async function listQuarantine(cli: CliContext, text: string): Promise<void> {
  const digest = digestSchema.safeParse(text);
  if (!digest.success) throw new RefusedError('digest-invalid', `expected a digest, got ${text}`);
  const store = await openStore(cli.paths.store);
  const { head, rows } = await readQuarantine(store, digest.data);
  cli.say(
    mark.bold(`${head.rows} rows of ${head.source} were set aside`),
    ...rows.slice(0, SHOWN).flatMap(rowLines),
    ...(rows.length > SHOWN ? [mark.dim(`and ${rows.length - SHOWN} more; --json has them all`)] : []),
  );
  cli.emit({ ...head, digest: digest.data, listed: rows });
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
