import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import type { z } from 'zod';
import { type DataProblem, type IngestOptions, ingest } from '../../../src/core/data/index.js';
import { dataSchema } from '../../../src/core/spec/index.js';
import { openStore, type Store } from '../../../src/core/store/index.js';

/** A store, a work folder and what a test does with them. */
export interface Bench {
  readonly store: Store;
  readonly folder: string;
  readonly workFolder: string;
  /** Ingests bytes (or a file) under a data block. */
  readonly ingest: (
    content: string | Uint8Array | { file: string },
    data: DataInput,
    more?: Partial<IngestOptions>,
  ) => ReturnType<typeof ingest>;
  /** Ingests what must be refused, and gives every problem of the report. */
  readonly problems: (content: string | Uint8Array, data: DataInput) => Promise<readonly DataProblem[]>;
  /** The bytes of a snapshot's three Parquet files. */
  readonly parquetOf: (result: Awaited<ReturnType<typeof ingest>>) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

export type DataInput = z.input<typeof dataSchema>;

/** Two numbers and an integer, two classes. */
export const points: DataInput = {
  source: 'points.csv',
  id: 'id',
  label: { column: 'label', classes: ['a', 'b'] },
  features: [
    { columns: ['x', 'y'], type: 'number', minimum: 0, maximum: 10, scale: 'unit' },
    { columns: ['n'], type: 'integer', minimum: -5, maximum: 9007199254740992 },
  ],
};

export interface Point {
  readonly id: string;
  readonly label: string;
  readonly x: number | string;
  readonly y: number | string;
  readonly n: number | string;
}

/** Good rows for {@link points}. */
export const pointRows = (count: number): Point[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `row-${i}`,
    label: i % 2 === 0 ? 'a' : 'b',
    x: (i % 20) / 2,
    y: 1.25,
    n: i,
  }));

export const csvOf = (rows: readonly Point[]): string =>
  ['id,label,x,y,n', ...rows.map(({ id, label, x, y, n }) => `${id},${label},${x},${y},${n}`)].join('\n');

/** A Parquet file of the rows of a query. */
export async function parquetOf(folder: string, sql: string): Promise<Buffer> {
  const file = path.join(folder, 'made.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`COPY (${sql}) TO '${file.replaceAll("'", "''")}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  const bytes = await readFile(file);
  await rm(file);
  return bytes;
}

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(path.join(tmpdir(), "assay data's-"));
  const workFolder = path.join(folder, 'work');
  await mkdir(workFolder);
  const store = await openStore(pathToFileURL(path.join(folder, 'store')).href);

  const run: Bench['ingest'] = async (content, data, more) => {
    const bytes =
      typeof content === 'string'
        ? Buffer.from(content)
        : 'file' in content
          ? createReadStream(content.file)
          : content;
    const result = await ingest({
      store,
      source: await store.putBlob(bytes),
      data: dataSchema.parse(data),
      asOf: new Date('2026-01-02T03:04:05Z'),
      workFolder,
      ...more,
    }).finally(async () => {
      const left = await readdir(workFolder);
      if (left.length > 0) throw new Error(`ingest left ${left.join(', ')} behind`);
    });
    return result;
  };
  return {
    store,
    folder,
    workFolder,
    ingest: run,
    async problems(content, data) {
      const result = await run(content, data);
      if (result.kind !== 'refused') throw new Error('expected a refusal, got a snapshot');
      const report = JSON.parse(Buffer.from(await store.readBlob(result.report)).toString());
      if (report.total !== result.problems || report.problems.length !== report.total) {
        throw new Error(`expected ${result.problems} problems in the report, got ${report.problems.length}`);
      }
      return report.problems;
    },
    async parquetOf(result) {
      if (result.kind !== 'accepted') throw new Error(`expected a snapshot, got ${result.summary.join(' ')}`);
      const entries = await store.readTree(result.record.snapshot);
      return entries.filter((entry) => entry.path.endsWith('.parquet')).map((entry) => entry.digest);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
