import { existsSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { RefusedError } from '../../core/errors/index.js';

/** A column of numbers, as the file has them today. */
export interface NumericColumn {
  readonly name: string;
  readonly type: 'integer' | 'number';
  readonly minimum: number;
  readonly maximum: number;
}

/** What a source seems to hold: enough for a first draft of its `data` block, for a person to correct. */
export interface SourceProfile {
  readonly rows: number;
  readonly id: string;
  readonly label: { readonly column: string; readonly classes: readonly (string | number)[] };
  readonly features: readonly NumericColumn[];
  /** Columns that are neither id nor label nor numbers. */
  readonly ignored: readonly string[];
}

/** Columns that the user named instead of leaving them to be guessed. */
export interface NamedColumns {
  readonly id?: string;
  readonly label?: string;
}

/** A label with more values is more likely a quantity or a text. */
const maximumClasses = 100;

const readers: Readonly<Record<string, string>> = {
  '.csv': 'read_csv',
  '.jsonl': 'read_json',
  '.ndjson': 'read_json',
  '.parquet': 'read_parquet',
};

interface Column {
  readonly name: string;
  readonly type: NumericColumn['type'] | 'text';
  readonly distinct: number;
  readonly nulls: number;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Looks at every row of a CSV, JSON Lines or Parquet file.
 * @throws RefusedError `source-missing`, `source-unreadable`, or `usage` when the id or label cannot be told
 */
export async function profileSource(file: string, named: NamedColumns): Promise<SourceProfile> {
  if (!existsSync(file)) throw new RefusedError('source-missing', `expected the data file ${file}, got none`);
  const reader = readers[path.extname(file).toLowerCase()];
  if (reader === undefined) {
    throw new RefusedError(
      'usage',
      `expected a file named .csv, .jsonl or .parquet, got ${path.basename(file)}`,
    );
  }
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const query = async (sql: string) => {
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJS();
    } catch (cause) {
      const [message] = (cause as Error).message.split('\n');
      throw new RefusedError('source-unreadable', `cannot read ${file}: ${message}`, [], { cause });
    }
  };
  try {
    await query(`CREATE TABLE source AS SELECT * FROM ${reader}('${file.replaceAll("'", "''")}')`);
    const [{ rows } = { rows: 0 }] = await query('SELECT count(*)::DOUBLE AS rows FROM source');
    const columns: Column[] = [];
    for (const { column_name, column_type } of await query('DESCRIBE source')) {
      columns.push(await profileColumn(query, String(column_name), String(column_type)));
    }
    const count = Number(rows);
    const id = chooseId(columns, count, named.id);
    const label = chooseLabel(columns, id, named.label);
    const classes = await query(`SELECT DISTINCT ${identifier(label)} AS class FROM source ORDER BY 1`);
    return {
      rows: count,
      id,
      label: {
        column: label,
        classes: classes
          .map((row) => row.class)
          .filter((value) => value !== null)
          .map((value) => (typeof value === 'string' ? value : Number(value))),
      },
      features: columns.flatMap(({ name, type, minimum, maximum }) =>
        type === 'text' || name === id || name === label ? [] : [{ name, type, minimum, maximum }],
      ),
      ignored: columns.flatMap(({ name, type }) =>
        type === 'text' && name !== id && name !== label ? [name] : [],
      ),
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

type Query = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

async function profileColumn(query: Query, name: string, sqlType: string): Promise<Column> {
  const column = identifier(name);
  const type = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(sqlType)
    ? 'integer'
    : /^(FLOAT|DOUBLE|DECIMAL)/.test(sqlType)
      ? 'number'
      : 'text';
  const [minimum, maximum] = type === 'text' ? ['0', '0'] : [`min(${column})`, `max(${column})`];
  const [found = {}] = await query(
    `SELECT count(DISTINCT ${column})::DOUBLE AS distinct_values, (count(*) - count(${column}))::DOUBLE AS nulls,
       (${minimum})::DOUBLE AS minimum, (${maximum})::DOUBLE AS maximum FROM source`,
  );
  return {
    name,
    type,
    distinct: Number(found.distinct_values),
    nulls: Number(found.nulls),
    minimum: Number(found.minimum),
    maximum: Number(found.maximum),
  };
}

function chooseId(columns: readonly Column[], rows: number, named: string | undefined): string {
  if (named !== undefined) return requireColumn(columns, named).name;
  const unique = columns.filter(
    ({ distinct, nulls, type }) => distinct === rows && nulls === 0 && type !== 'number',
  );
  const best = unique.find(({ name }) => /(^|[_-])id$/i.test(name)) ?? unique[0];
  if (best !== undefined && rows > 0) return best.name;
  throw new RefusedError('usage', 'expected a column that names each row, got none with unique values', [
    'name it with --id COLUMN, or add such a column to the data',
  ]);
}

function chooseLabel(columns: readonly Column[], id: string, named: string | undefined): string {
  if (named !== undefined) return requireColumn(columns, named).name;
  const candidates = columns.filter(
    ({ name, type, distinct }) =>
      name !== id && type !== 'number' && distinct >= 2 && distinct <= maximumClasses,
  );
  const best = candidates.find(({ name }) => /^(label|class|target|y)$/i.test(name)) ?? candidates.at(-1);
  if (best !== undefined) return best.name;
  throw new RefusedError('usage', `expected a column of 2 to ${maximumClasses} classes, got none`, [
    'name it with --label COLUMN',
  ]);
}

function requireColumn(columns: readonly Column[], name: string): Column {
  const column = columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  const known = columns.map((candidate) => candidate.name).join(', ');
  throw new RefusedError('usage', `expected one of the columns ${known}, got ${name}`);
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
