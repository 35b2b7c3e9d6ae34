import { RefusedError } from '../../errors/index.js';
import type { DataSpec } from '../../spec/index.js';
import { cellProblems } from '../check.js';
import type { Format } from '../stages.js';
import type { StagedSource } from '../staging.js';
import { columnsOf } from './columns-of.js';
import { expectClean, type OpenTable, readRows, withTable } from './read-table.js';
import type { RawSamples, SampleOptions } from './sample-set.js';

/** Models see float32. */
const FLOAT32_MAXIMUM = 3.4028234663852886e38;
/** Beyond, a column is more likely a quantity or a text. */
const MAXIMUM_LABELS = 10_000;
const labelNames = /^(label|class|target|y)$/i;
/** pandas writes its index into a column without a name. */
const idNames = /^(id|)$/i;

/**
 * Reads a table that nothing describes but its own header. Columns whose first value is a number are inputs, in the order of the
 * file, unless columns are named; then every cell must be a number.
 *
 * @throws RefusedError `source-missing`, `source-unreadable`, `usage` for columns that are not there, `data-refused` with the rows
 * that cannot be read
 */
export async function readOpenTable(
  file: string,
  format: Format,
  options: SampleOptions,
): Promise<RawSamples> {
  return await withTable(file, format, options.signal, async (table) => {
    const columns = await columnsOf(table, format);
    const roles = rolesOf(columns, options);
    const all = dataOf(roles, [], roles.others);
    const staged = await table.stage(all);
    // JSON Lines has every column that is asked for, the name of no column too.
    const found = {
      ...staged,
      columns: new Set([...staged.columns].filter((column) => columns.includes(column))),
    };
    const chosen = options.columns ?? (await numericColumns(table, all, found));
    if (chosen.length === 0) {
      throw new RefusedError(
        'data-refused',
        `expected columns of numbers beside the label ${roles.label}, got none`,
      );
    }
    const data = dataOf(roles, await distinctLabels(table, roles.label), chosen);
    await keepColumns(table, roles.others, chosen, staged);
    const structure = found.problems.filter(
      ({ rule, column }) =>
        rule === 'duplicate-column' || (rule === 'column-type' && chosen.includes(column ?? '')),
    );
    await expectClean(structure, cellProblems(table.database, data, found));
    const [{ rows } = { rows: 0 }] = await table.database.rows('SELECT count(*)::DOUBLE AS rows FROM raw');
    const named = `(SELECT * REPLACE (coalesce(id, 'row-' || row) AS id) FROM raw ORDER BY row)`;
    const { ids, labels, values } = await readRows(table.database, data, named, Number(rows));
    const omitted = options.columns ? [] : roles.others.filter((column) => !chosen.includes(column));
    const notes = [
      ...roles.notes,
      ...(omitted.length > 0 ? [`Left out, since they hold no numbers: columns ${omitted.join(', ')}.`] : []),
    ];
    return { ids, values, labels: wholeLabels(labels), shape: [chosen.length], columns: chosen, notes };
  });
}

interface Roles {
  readonly id: string;
  readonly label: string;
  readonly others: readonly string[];
  readonly notes: readonly string[];
}

function rolesOf(columns: readonly string[], options: SampleOptions): Roles {
  const notes: string[] = [];
  const expectColumn = (name: string, option: string): string => {
    if (columns.includes(name)) return name;
    throw new RefusedError(
      'usage',
      `${option}: expected one of the columns ${excerpt(columns)}, got ${name}`,
    );
  };
  const guess = (pattern: RegExp, role: string, except?: string): string | undefined => {
    const name = columns.find((column) => pattern.test(column) && column !== except);
    if (name !== undefined)
      notes.push(
        `${name === '' ? 'The column without a name' : `Column "${name}"`} is taken for the ${role}.`,
      );
    return name;
  };
  const label =
    options.label === undefined ? guess(labelNames, 'label') : expectColumn(options.label, '--label');
  if (label === undefined) {
    throw new RefusedError('usage', `expected --label COLUMN, one of ${excerpt(columns)}`);
  }
  for (const column of options.columns ?? []) expectColumn(column, '--columns');
  if (new Set(options.columns).size !== (options.columns?.length ?? 0) || options.columns?.includes(label)) {
    throw new RefusedError('usage', '--columns: expected each column once, and not the label');
  }
  const id =
    options.id === undefined
      ? options.columns?.some((column) => idNames.test(column))
        ? undefined
        : guess(idNames, 'name of a sample', label)
      : expectColumn(options.id, '--id');
  const others = [...new Set(columns)].filter((column) => column !== label && column !== id);
  return { id: id ?? unusedName(columns), label, others, notes };
}

/** A data block that takes any number. */
function dataOf({ id, label }: Roles, classes: readonly string[], columns: readonly string[]): DataSpec {
  return {
    source: '',
    id,
    label: { column: label, classes: [...classes] },
    features: [
      {
        columns: [...columns],
        type: 'number',
        minimum: -FLOAT32_MAXIMUM,
        maximum: FLOAT32_MAXIMUM,
        scale: 'none',
      },
    ],
    rows: { minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    split: { train: 0.7, validation: 0.1, test: 0.2, seed: 0 },
  };
}

async function distinctLabels({ database }: OpenTable, label: string): Promise<readonly string[]> {
  const rows = await database.rows(
    `SELECT DISTINCT label FROM raw WHERE label IS NOT NULL LIMIT ${MAXIMUM_LABELS + 1}`,
  );
  if (rows.length <= MAXIMUM_LABELS) return rows.map((row) => String(row.label));
  throw new RefusedError(
    'data-refused',
    `column ${label}: expected at most ${MAXIMUM_LABELS} different labels, got more: is it the label?`,
  );
}

async function numericColumns(
  { database }: OpenTable,
  data: DataSpec,
  found: StagedSource,
): Promise<readonly string[]> {
  const columns = data.features.flatMap((feature) => feature.columns);
  const pattern = "'\\s*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?\\s*'";
  const firsts = columns.map(
    (_, i) => `regexp_full_match(arg_min(f${i}, row)::VARCHAR, ${pattern}) AS f${i}`,
  );
  const [first] = firsts.length > 0 ? await database.rows(`SELECT ${firsts.join(', ')} FROM raw`) : [];
  return columns.filter((column, i) => found.columns.has(column) && first?.[`f${i}`] === true);
}

/** Renames the columns of `raw`, so that they are those of a data block with fewer features. */
async function keepColumns(
  { database }: OpenTable,
  all: readonly string[],
  chosen: readonly string[],
  { types }: StagedSource,
): Promise<void> {
  const kept = chosen.map((column, i) => `f${all.indexOf(column)} AS f${i}`);
  await database.run(
    `CREATE TABLE kept AS SELECT row, rule, fault, excerpt, id, label, ${kept.join(', ')} FROM raw`,
  );
  await database.run(`DROP ${types ? 'VIEW' : 'TABLE'} raw`);
  await database.run('ALTER TABLE kept RENAME TO raw');
}

/** pandas writes integers as 3.0 once a value was missing. */
function wholeLabels(labels: readonly string[]): readonly string[] {
  return labels.every((label) => /^\d+\.0+$/.test(label))
    ? labels.map((label) => label.replace(/\.0+$/, ''))
    : labels;
}

function unusedName(columns: readonly string[]): string {
  let name = 'no id';
  while (columns.includes(name)) name += '_';
  return name;
}

function excerpt(columns: readonly string[]): string {
  return `${columns.slice(0, 10).join(', ')}${columns.length > 10 ? `, … (${columns.length})` : ''}`;
}
