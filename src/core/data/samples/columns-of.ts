import { createReadStream } from 'node:fs';
import { RefusedError, TransientError } from '../../errors/index.js';
import { literal } from '../database.js';
import { csvValues, type TextRecord, textRecords } from '../records.js';
import { unreadableParquet } from '../stage-parquet.js';
import type { Format } from '../stages.js';
import type { OpenTable } from './read-table.js';

/** The names that a file gives its columns. @throws RefusedError `source-unreadable` */
export async function columnsOf(table: OpenTable, format: Format): Promise<readonly string[]> {
  const { file } = table;
  if (format === 'parquet') return [...(await parquetTypes(table)).keys()];
  const record = await firstRecord(file, format === 'csv');
  if (!record || record.fault) {
    const got = record?.fault ?? 'an empty file';
    throw new RefusedError('source-unreadable', `expected a first line that can be read, got ${got}`);
  }
  if (format === 'csv') return csvValues(record);
  try {
    const parsed: unknown = JSON.parse(record.bytes.toString());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return Object.keys(parsed);
  } catch {
    // Told below, as is JSON that is no object.
  }
  throw new RefusedError('source-unreadable', 'expected JSON Lines, one object a line');
}

async function firstRecord(file: string, quoting: boolean): Promise<TextRecord | undefined> {
  for await (const [first] of textRecords(createReadStream(file), quoting)) if (first) return first;
  return undefined;
}

/** The SQL types of a Parquet file's columns. @throws RefusedError `source-unreadable` */
export async function parquetTypes({ database, file }: OpenTable): Promise<ReadonlyMap<string, string>> {
  try {
    const reader = `read_parquet(${literal(file)}, hive_partitioning = false)`;
    const described = await database.rows(`DESCRIBE SELECT * FROM ${reader}`);
    return new Map(described.map((column) => [String(column.column_name), String(column.column_type)]));
  } catch (error) {
    if (error instanceof TransientError) throw error;
    throw unreadableParquet(error, file);
  }
}
