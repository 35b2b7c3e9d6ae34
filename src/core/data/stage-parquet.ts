import { RefusedError, TransientError } from '../errors/index.js';
import { dataColumns } from './columns.js';
import { identifier, literal } from './database.js';
import type { DataProblem } from './problem.js';
import { columnProblems, type Stage } from './staging.js';

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
/** Columns of these are left as they are: turning numbers into text and back takes most of the time of a check. */
const NATIVE = /^(DOUBLE|U?(TINY|SMALL)INT|U?INTEGER|BIGINT)$/;
const SCALAR =
  /^(VARCHAR|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN|UUID|ENUM\(.*\)|DATE|TIMESTAMP.*)$/;
const TEXTUAL = /^(VARCHAR|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN|UUID|ENUM\(.*\))$/;

/** Apache Parquet with flat columns: numbers for features, text or integers for id and label. */
export const stageParquet: Stage = async ({ data, database, file, signal }) => {
  const reader = `read_parquet(${literal(file)}, hive_partitioning = false)`;
  try {
    const described = await database.rows(`DESCRIBE SELECT * FROM ${reader}`);
    const types = new Map(
      described.map((column) => [String(column.column_name), String(column.column_type)]),
    );
    const found = columnProblems(data, [...types.keys()]);
    const usable = new Set(found.columns);
    const mistyped: DataProblem[] = [];
    const native = new Map<string, string>();
    for (const { name, kind, other } of dataColumns(data)) {
      const type = types.get(name);
      if (type === undefined || !usable.has(name)) continue;
      const [fits, expected] = {
        feature: [NUMERIC, 'a column of numbers'] as const,
        id: [TEXTUAL, 'a column of text or integers'] as const,
        label: [TEXTUAL, 'a column of text or integers'] as const,
        text: [TEXTUAL, 'a column of text'] as const,
        other: [SCALAR, 'a column of single values'] as const,
      }[kind];
      if (fits.test(type)) {
        if (isNative(kind === 'feature' ? 'number' : other?.type, type)) native.set(name, type);
        continue;
      }
      usable.delete(name);
      mistyped.push({ rule: 'column-type', column: name, row: null, value: type, expected });
    }
    const value = (column: string) =>
      `${usable.has(column) ? identifier(column) : 'NULL'}${native.has(column) ? '' : '::VARCHAR'}`;
    // Rows are numbered by the file, so that the table can be read in parts and need not fit in memory.
    const numbered = [...types.keys()].every((name) => name.toLowerCase() !== 'file_row_number');
    const row = numbered ? 'file_row_number + 1' : 'row_number() OVER ()';
    const rows = `read_parquet(${literal(file)}, hive_partitioning = false, file_row_number = ${numbered})`;
    const selected = dataColumns(data).map(({ name, raw }) => `${value(name)} AS ${raw}`);
    await database.run(
      `CREATE VIEW raw AS SELECT ${row} AS row, NULL::VARCHAR AS rule, NULL::VARCHAR AS fault, ` +
        `NULL::VARCHAR AS excerpt, ${selected.join(', ')} FROM ${rows}`,
    );
    return { problems: [...found.problems, ...mistyped], columns: usable, types: native };
  } catch (error) {
    if (error instanceof TransientError || signal?.aborted) throw error;
    throw unreadableParquet(error, file);
  }
};

/** What is wrong with a Parquet file, as far as its reader says: it may only find out in the middle of a query. */
export function unreadableParquet(error: unknown, file: string): RefusedError {
  const [reason] = String((error as Error).message)
    .replaceAll(file, 'the source')
    .split('\n');
  return new RefusedError('source-unreadable', `expected a whole Parquet file: ${reason}`, [], {
    cause: error,
  });
}

/** Whether a column of the file can be checked as it is, for what the data block takes it for. */
function isNative(declared: string | undefined, type: string): boolean {
  if (declared === 'timestamp') return type === 'TIMESTAMP';
  if (declared === 'boolean') return type === 'BOOLEAN';
  return (declared === 'number' || declared === 'integer') && NATIVE.test(type);
}
