import { copyFile, mkdir } from 'node:fs/promises';
import { RefusedError } from '../errors/index.js';
import type { DataSpec, Digest } from '../spec/index.js';
import { otherTypes } from './columns.js';
import type { Database } from './database.js';
import { stages, tableFormatOf } from './stages.js';

/** Puts a file that the data block names where the database can read it. */
export type FetchFile = (source: string, file: string) => Promise<void>;

/**
 * Loads the values of other files that columns of a source must have: a table `foreign0`, … each.
 *
 * @returns their names, by column of the source
 * @throws RefusedError `source-unreadable` for a file that cannot be read, `spec-invalid` for one whose name says no format
 */
export async function loadForeignValues(
  database: Database,
  data: DataSpec,
  folder: string,
  fetch: FetchFile,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const tables = new Map<string, string>();
  for (const [index, { name, type, valuesOf }] of (data.columns ?? []).entries()) {
    if (!valuesOf) continue;
    const format = tableFormatOf(valuesOf.source);
    if (!format)
      throw new RefusedError('spec-invalid', `data.columns: expected a table, got ${valuesOf.source}`);
    const inside = `${folder}/foreign${index}`;
    await mkdir(inside);
    const file = `${inside}/source`;
    await fetch(valuesOf.source, file);
    const staged = await stages[format]({
      database,
      data: blockOf(valuesOf.column),
      file,
      folder: inside,
      signal,
    });
    if (!staged.columns.has(valuesOf.column)) {
      throw new RefusedError(
        'source-unreadable',
        `expected the column ${valuesOf.column} in ${valuesOf.source}, got none`,
      );
    }
    const table = `foreign${index}`;
    const value = `TRY_CAST(id AS ${otherTypes[type]})::VARCHAR`;
    await database.run(
      `CREATE TABLE ${table} AS SELECT DISTINCT ${value} AS v FROM raw WHERE ${value} IS NOT NULL`,
    );
    await database.run(`DROP ${staged.types ? 'VIEW' : 'TABLE'} raw`);
    tables.set(name, table);
  }
  return tables;
}

/** A block of this column only: whatever else the file holds is none of its business. */
function blockOf(column: string): DataSpec {
  return {
    source: '',
    id: column,
    label: { column: `not ${column}`, classes: [] },
    features: [],
    rows: { minimum: 1, maximum: 1 },
    split: { train: 0.7, validation: 0.1, test: 0.2, seed: 0 },
  };
}

/** Where the files that a data block names lie, for those who have them on their disk. */
export function localFiles(resolve: (source: string) => string): FetchFile {
  return async (source, file) => {
    try {
      await copyFile(resolve(source), file);
    } catch (cause) {
      throw new RefusedError('source-missing', `expected the file ${source}, got none`, [], { cause });
    }
  };
}

/** Files that a data block names beside its source. */
export function filesOf(data: Pick<DataSpec, 'columns'>): readonly string[] {
  const named = (data.columns ?? []).flatMap(({ valuesOf }) => (valuesOf ? [valuesOf.source] : []));
  return [...new Set(named)];
}

/** The same files by digest. */
export type FileDigests = Readonly<Record<string, Digest>>;
