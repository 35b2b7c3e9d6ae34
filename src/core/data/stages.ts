import path from 'node:path';
import { RefusedError } from '../errors/index.js';
import type { DataSpec } from '../spec/index.js';
import { stageCsv } from './stage-csv.js';
import { stageJsonl } from './stage-jsonl.js';
import { stageParquet } from './stage-parquet.js';
import type { Stage } from './staging.js';

/** The formats of tables, each with its reader. */
export const stages = { csv: stageCsv, jsonl: stageJsonl, parquet: stageParquet } as const satisfies Record<
  string,
  Stage
>;
export type Format = keyof typeof stages;

const formats: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
};

/** The format that a file's name says; `undefined` where it names no table. */
export function tableFormatOf(file: string): Format | undefined {
  return formats[path.extname(file).toLowerCase()];
}

/** @throws RefusedError `spec-invalid` when neither the spec nor the file name says it */
export function formatOf(data: DataSpec): Format {
  const format = data.format ?? tableFormatOf(data.source);
  if (format) return format;
  const expected = Object.keys(formats).join(', ');
  throw new RefusedError(
    'spec-invalid',
    `expected data.format, or a source that ends in ${expected}, got ${data.source}`,
  );
}
