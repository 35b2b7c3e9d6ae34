import { copyFile, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusedError, TransientError } from '../../errors/index.js';
import { type DataSpec, inputColumns } from '../../spec/index.js';
import { hashedNgrams } from '../../text/index.js';
import { type Database, openDatabase } from '../database.js';
import type { DataProblem } from '../problem.js';
import { problemSentence } from '../report.js';
import { unreadableParquet } from '../stage-parquet.js';
import { type Format, stages } from '../stages.js';
import type { StagedSource } from '../staging.js';

/** Problems that an error lists. */
const MAXIMUM_DETAILS = 20;

/** A table in the database, as text: see `Stage`. */
export interface OpenTable {
  readonly database: Database;
  /** The source, where the database can read it. */
  readonly file: string;
  /** The folder that the database can read and write. */
  readonly folder: string;
  /** Fills the table `raw` with the columns of a data block. */
  stage(data: DataSpec): Promise<StagedSource>;
}

/**
 * Opens a table in a database of its own, which can reach nothing but a copy of it; both are gone when `use` is done.
 *
 * @throws RefusedError `source-missing` or `source-unreadable`; the signal's reason
 */
export async function withTable<Result>(
  source: string,
  format: Format,
  signal: AbortSignal | undefined,
  use: (table: OpenTable) => Promise<Result>,
): Promise<Result> {
  const found = await stat(source).catch(() => undefined);
  if (!found?.isFile())
    throw new RefusedError('source-missing', `expected the data file ${source}, got none`);
  if (found.size === 0)
    throw new RefusedError('source-unreadable', `${source}: expected data, got an empty file`);
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'assay-samples-'));
  let database: Database | undefined;
  try {
    const file = path.join(folder, 'source');
    await copyFile(source, file);
    const opened = await openDatabase(folder, signal);
    database = opened;
    return await use({
      database: opened,
      file,
      folder,
      stage: (data) =>
        stages[format]({ database: opened, data, file, folder, ...(signal ? { signal } : {}) }),
    });
  } catch (error) {
    if (error instanceof RefusedError || error instanceof TransientError || signal?.aborted) throw error;
    // A Parquet file is only read when somebody asks for its rows.
    throw format === 'parquet' && database ? unreadableParquet(error, path.join(folder, 'source')) : error;
  } finally {
    database?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Refuses a table with anything wrong in it.
 * @throws RefusedError `data-refused`, the first problems listed
 */
export async function expectClean(
  structure: readonly DataProblem[],
  cells: AsyncIterable<DataProblem>,
): Promise<void> {
  const details = structure.slice(0, MAXIMUM_DETAILS).map(problemSentence);
  let count = structure.length;
  for await (const problem of cells) {
    count += 1;
    if (details.length < MAXIMUM_DETAILS) details.push(problemSentence(problem));
  }
  if (count === 0) return;
  if (count > details.length) details.push(`and ${count - details.length} more`);
  throw new RefusedError(
    'data-refused',
    `${count === 1 ? '1 problem' : `${count} problems`} in the data`,
    details,
  );
}

/** Rows of a table in memory: ids and labels as text, values row-major. */
export interface TableRows {
  readonly ids: string[];
  readonly labels: string[];
  /** One a row, where the data block has a text; otherwise none. */
  readonly texts: string[];
  readonly values: Float64Array;
}

/**
 * Reads checked rows.
 * @param from - SQL of rows with the columns `id`, `label`, `f0`, `f1`, …; their number must be `rows`
 */
export async function readRows(
  database: Database,
  data: DataSpec,
  from: string,
  rows: number,
): Promise<TableRows> {
  const { text } = data;
  const size = inputColumns(data).length;
  const table: TableRows = { ids: [], labels: [], texts: [], values: new Float64Array(rows * size) };
  const columns = text ? ['f0'] : Array.from({ length: size }, (_, i) => `f${i}::DOUBLE`);
  const result = await database.stream(`SELECT id, label, ${columns.join(', ')} FROM ${from}`);
  for (let start = 0; ; ) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) return table;
    for (const id of chunk.getColumnValues(0)) table.ids.push(String(id));
    for (const label of chunk.getColumnValues(1)) table.labels.push(String(label));
    for (let feature = 0; feature < (text ? 0 : size); feature++) {
      const values = chunk.getColumnVector(feature + 2);
      for (let i = 0; i < chunk.rowCount; i++) {
        table.values[(start + i) * size + feature] = values.getItem(i) as number;
      }
    }
    for (const [i, value] of text ? chunk.getColumnValues(2).entries() : []) {
      table.texts.push(String(value));
      table.values.set(hashedNgrams(String(value), text!), (start + i) * size);
    }
    start += chunk.rowCount;
  }
}
