import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { identifier, literal, openDatabase } from './database.js';

/** One column of a table; null where a row has no value. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'VARCHAR' | 'BOOLEAN' | 'INTEGER' | 'DOUBLE';
  /** One a row; numbers are finite. */
  readonly values: readonly (string | number | boolean | null)[];
}

/**
 * Writes a table as Parquet, rows in the order given. Equal tables give equal bytes.
 *
 * @param columns - of equal length, names unique without regard to case
 * @param file - must not exist
 */
export async function writeParquet(columns: readonly TableColumn[], file: string): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assay-table-'));
  try {
    const rows = Array.from({ length: columns[0]?.values.length ?? 0 }, (_, row) =>
      JSON.stringify([row, ...columns.map(({ values }) => values[row] ?? null)]),
    );
    // One array a line: ids may hold anything, and column names are not looked up in objects.
    await writeFile(`${folder}/rows.csv`, rows.map((text) => `${quoted(text)}\n`).join(''));
    const database = await openDatabase(folder);
    try {
      const selected = columns.map(
        ({ name, type }, i) => `(v->>'$[${i + 1}]')::${type} AS ${identifier(name)}`,
      );
      await database.run(
        `COPY (SELECT ${selected.join(', ')} FROM (SELECT v::JSON AS v FROM read_csv(${literal(`${folder}/rows.csv`)}, ` +
          `header = false, columns = {'v': 'VARCHAR'}, quote = '"', escape = '"', delim = ',', auto_detect = false)) ` +
          `ORDER BY (v->>'$[0]')::BIGINT) TO ${literal(`${folder}/table.parquet`)} (FORMAT parquet, COMPRESSION zstd)`,
      );
    } finally {
      database.close();
    }
    await copyFile(`${folder}/table.parquet`, file, 1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
