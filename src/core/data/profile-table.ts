import { RefusedError } from '../errors/index.js';
import { type DataSpec, type TextHazard, textHazards } from '../spec/index.js';
import { clopperPearson } from '../statistics/index.js';
import { literal } from './database.js';
import { INTEGER_FORM, NUMBER_FORM } from './feature-rule.js';
import { TIMESTAMP_FORM } from './other-column.js';
import { columnsOf, parquetTypes } from './samples/columns-of.js';
import { type OpenTable, withTable } from './samples/read-table.js';
import { type Format, tableFormatOf } from './stages.js';

/** What the values of one column have in common. */
export interface ColumnProfile {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'timestamp';
  /** Whether a feature may be made of it: Parquet says of its columns whether they are numbers. */
  readonly numeric: boolean;
  readonly nulls: number;
  /** A share that the rows of another sample like this one will hardly exceed. */
  readonly likelyNulls: number;
  /** No two rows have the same. */
  readonly unique: boolean;
  /** Of numbers. */
  readonly range?: readonly [number, number];
  /** Of times, ISO 8601. */
  readonly times?: readonly [string, string];
  /** Of texts, in characters. */
  readonly lengths: readonly [number, number];
  /** All values, sorted, with their rows, where there are few. */
  readonly values?: readonly { readonly value: string; readonly rows: number }[];
  /** What hides or garbles its texts. */
  readonly hazards: readonly TextHazard[];
  /** Values with white space around them. */
  readonly untrimmed: number;
}

export interface TableProfile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

/** A column with more values is no list of choices. */
const FEW_VALUES = 100;
/** Integers beyond are not exact as numbers of a file that people write. */
const EXACT = 2 ** 53;

/**
 * Reads all of a table with the readers of ingestion and says what its columns hold.
 *
 * @throws RefusedError `source-missing`, `source-unreadable` also for records that cannot be read, `usage` for a file whose name
 * says no format
 */
export async function profileTable(file: string): Promise<TableProfile> {
  const format = tableFormatOf(file);
  if (!format)
    throw new RefusedError('usage', `expected a file named .csv, .jsonl, .ndjson or .parquet, got ${file}`);
  return withTable(file, format, undefined, async (table) => {
    const names = await columnsOf(table, format);
    const staged = await table.stage(blockOf(names, format));
    const odd = staged.problems.find(({ rule }) => rule === 'duplicate-column' || rule === 'column-type');
    if (odd) {
      const { column, expected, value = 'it twice' } = odd;
      throw new RefusedError('source-unreadable', `column ${column}: expected ${expected}, got ${value}`);
    }
    const [counted] = await table.database.rows(
      "SELECT count(*)::DOUBLE AS rows, count(rule) FILTER (rule <> 'extra-field')::DOUBLE AS torn, " +
        "any_value(row) FILTER (rule IS NOT NULL AND rule <> 'extra-field')::DOUBLE AS first, " +
        'any_value(fault) FILTER (rule IS NOT NULL) AS fault FROM raw',
    );
    const { rows, torn, first, fault } = counted!;
    if (Number(torn) > 0)
      throw new RefusedError(
        'source-unreadable',
        `row ${first} of ${file}: expected a whole record, got ${fault}`,
      );
    const types = format === 'parquet' ? await parquetTypes(table) : undefined;
    const columns: ColumnProfile[] = [];
    for (const [i, name] of names.entries()) {
      columns.push(await profileColumn(table, types, format, { name, raw: `o${i}` }, Number(rows)));
    }
    return { rows: Number(rows), columns };
  });
}

/** A block that takes every column as it is. In JSON, what is a number is told from what is a text. */
function blockOf(names: readonly string[], format: Format): DataSpec {
  const unused = (name: string): string => (names.includes(name) ? unused(`${name} `) : name);
  return {
    source: '',
    id: unused('no id'),
    label: { column: unused('no label'), classes: [] },
    features: [],
    columns: names.map((name) => ({ name, type: format === 'jsonl' ? 'number' : 'text', nulls: 0 })),
    rows: { minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    split: { train: 0.7, validation: 0.1, test: 0.2, seed: 0 },
  };
}

async function profileColumn(
  { database }: OpenTable,
  types: ReadonlyMap<string, string> | undefined,
  format: Format,
  { name, raw }: { readonly name: string; readonly raw: string },
  rows: number,
): Promise<ColumnProfile> {
  const quoted = format === 'jsonl' ? `left(${raw}, 1) = '"'` : 'false';
  const value = format === 'jsonl' ? `CASE WHEN ${quoted} THEN ${raw} ->> '$' ELSE ${raw} END` : raw;
  const form = (pattern: string) => `regexp_full_match(v, ${pattern})`;
  const hazards = Object.entries(textHazards).map(
    ([hazard, pattern]) => `bool_or(regexp_matches(v, ${literal(pattern)})) AS "${hazard}"`,
  );
  const [found] = await database.rows(
    `SELECT count(v)::DOUBLE AS present, count(DISTINCT v)::DOUBLE AS different, ` +
      `coalesce(bool_and(NOT quoted AND ${form(INTEGER_FORM)} AND abs(TRY_CAST(v AS DOUBLE)) <= ${EXACT}), false) AS whole, ` +
      // What begins with a zero too many is a code, such as a postal one.
      `coalesce(bool_and(NOT quoted AND ${form(NUMBER_FORM)} AND NOT regexp_matches(v, '^[+-]?0[0-9]') AND isfinite(TRY_CAST(v AS DOUBLE))), false) AS number, ` +
      `coalesce(bool_and(v IN ('true', 'false')), false) AS truth, ` +
      `coalesce(bool_and(regexp_full_match(v, ${TIMESTAMP_FORM}) AND TRY_CAST(v AS TIMESTAMP) IS NOT NULL), false) AS time, ` +
      'min(TRY_CAST(v AS DOUBLE)) AS low, max(TRY_CAST(v AS DOUBLE)) AS high, ' +
      "strftime(min(TRY_CAST(v AS TIMESTAMP)), '%Y-%m-%dT%H:%M:%SZ') AS early, " +
      "strftime(max(TRY_CAST(v AS TIMESTAMP)), '%Y-%m-%dT%H:%M:%SZ') AS late, " +
      'min(length(v))::DOUBLE AS shortest, max(length(v))::DOUBLE AS longest, ' +
      `count(*) FILTER (regexp_matches(v, '^\\s|\\s$'))::DOUBLE AS untrimmed, ${hazards.join(', ')} ` +
      `FROM (SELECT ${value} AS v, ${quoted} AS quoted FROM raw)`,
  );
  const present = Number(found!.present);
  const different = Number(found!.different);
  const told = types?.get(name);
  const numeric = (told === undefined || NUMERIC_TYPES.test(told)) && found!.number === true;
  const type = numeric
    ? found!.whole === true
      ? 'integer'
      : 'number'
    : found!.truth === true && present > 0
      ? 'boolean'
      : found!.time === true
        ? 'timestamp'
        : 'text';
  const few = different > 0 && different <= FEW_VALUES;
  const values = few
    ? await database.rows(
        `SELECT v, count(*)::DOUBLE AS rows FROM (SELECT ${value} AS v FROM raw) WHERE v IS NOT NULL GROUP BY v ORDER BY v`,
      )
    : undefined;
  return {
    name,
    type,
    numeric,
    nulls: rows - present,
    likelyNulls: present === rows ? 0 : clopperPearson(rows - present, rows, 0.999)[1],
    unique: different === rows && rows > 0,
    ...(numeric && { range: [Number(found!.low), Number(found!.high)] as const }),
    ...(type === 'timestamp' && { times: [String(found!.early), String(found!.late)] as const }),
    lengths: [Number(found!.shortest ?? 0), Number(found!.longest ?? 0)],
    ...(values && {
      values: values.map(({ v, rows: count }) => ({ value: String(v), rows: Number(count) })),
    }),
    hazards: (Object.keys(textHazards) as TextHazard[]).filter((hazard) => found![hazard] === true),
    untrimmed: Number(found!.untrimmed),
  };
}

const NUMERIC_TYPES = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
