import { mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RefusedError } from '../errors/index.js';
import type { DataSpec, Digest, SnapshotRecord } from '../spec/index.js';
import { canonicalJson, type Store } from '../store/index.js';
import { acceptRows, rowsByClass } from './accept-rows.js';
import { cellProblems, classIndex } from './check.js';
import { labelByCrowd } from './crowd-labels.js';
import { type Database, openDatabase } from './database.js';
import type { DataProblem } from './problem.js';
import { reportProblems } from './report.js';
import { assignSplits, classProblems } from './split.js';
import { formatOf, stages } from './stages.js';
import { featureColumns, type StagedSource } from './staging.js';
import { writeSnapshot } from './write-snapshot.js';

export type IngestResult =
  | { readonly kind: 'accepted'; readonly record: SnapshotRecord }
  | {
      readonly kind: 'refused';
      /** Blob of the JSON report that lists every problem. */
      readonly report: Digest;
      readonly problems: number;
      /** A few sentences for a terminal. */
      readonly summary: readonly string[];
    };

export interface IngestOptions {
  readonly store: Store;
  /** The blob to read. */
  readonly source: Digest;
  readonly data: DataSpec;
  /** A folder for temporary files, on a disk with room for a few copies of the source. It is left as it was. */
  readonly workFolder: string;
  readonly signal?: AbortSignal;
  /** Is told what fraction is done, in [0, 1]. */
  readonly onProgress?: (fraction: number) => void;
}

/** Models see float32: a larger bound would let values in that become infinite. */
const FLOAT32_MAXIMUM = 3.4028234663852886e38;

/**
 * Validates a source and freezes it as a snapshot, or refuses it with a report of every problem. There is nothing in
 * between: no row is dropped, repaired or guessed.
 *
 * A snapshot is a function of the accepted rows and the spec: its Parquet files are the same, byte for byte, on every
 * run of the same DuckDB version, whatever the order of the source's rows. (Its manifest also names the source's digest.)
 *
 * @throws RefusedError `spec-invalid`, `blob-missing`, `blob-corrupt`, or `source-unreadable` when the source is not even of
 * its format; TransientError when disk or memory ran out; the signal's reason
 */
export async function ingest(options: IngestOptions): Promise<IngestResult> {
  const { store, source, data, signal, onProgress } = options;
  const stage = stages[formatOf(data)];
  checkSpec(data);
  const folder = await mkdtemp(path.join(await realpath(options.workFolder), 'ingest-'));
  let database: Database | undefined;
  try {
    const file = path.join(folder, 'source');
    await store.fetchBlob(source, file);
    if ((await stat(file)).size === 0)
      throw new RefusedError('source-unreadable', 'expected data, got an empty file');
    onProgress?.(0.1);

    database = await openDatabase(folder, signal);
    const staged = await stage({ database, data, file, folder, signal });
    onProgress?.(0.4);

    const crowd =
      data.label.crowd && staged.columns.has(data.label.column)
        ? await labelByCrowd(database, data, data.label.crowd, folder)
        : undefined;
    const problems = [...staged.problems, ...(crowd?.problems ?? [])];
    const report = await reportProblems(store, source, allProblems(database, data, { ...staged, problems }));
    if (report.digest) {
      return { kind: 'refused', report: report.digest, problems: report.problems, summary: report.summary };
    }
    onProgress?.(0.6);

    await acceptRows(database, data);
    const classRows = await assignSplits(
      database,
      data,
      await rowsByClass(database, data, 'class', 'accepted'),
    );
    const output = path.join(folder, 'snapshot');
    await mkdir(output);
    const manifest = await writeSnapshot(database, { data, source, classRows, folder: output });
    if (crowd) await writeFile(path.join(output, 'crowd.json'), canonicalJson(crowd.report), { flag: 'wx' });
    onProgress?.(0.9);

    const snapshot = await store.putTree(output);
    onProgress?.(1);
    const counts = { classes: data.label.classes.length, features: manifest.features.length };
    return { kind: 'accepted', record: { snapshot, source, rows: manifest.rows, ...counts } };
  } finally {
    database?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the whole to the parts: columns, number of rows, cells, ids, classes. */
async function* allProblems(
  database: Database,
  data: DataSpec,
  staged: StagedSource,
): AsyncGenerator<DataProblem> {
  yield* staged.problems;
  const [{ rows } = { rows: 0 }] = await database.rows('SELECT count(*)::DOUBLE AS rows FROM raw');
  const { minimum, maximum } = data.rows;
  if (Number(rows) < minimum || Number(rows) > maximum) {
    yield { rule: 'row-count', row: null, value: `${rows} rows`, expected: `${minimum} to ${maximum} rows` };
  }
  yield* cellProblems(database, data, staged);
  if (staged.columns.has(data.label.column)) {
    yield* classProblems(data, await rowsByClass(database, data, classIndex(data), 'raw'));
  }
}

/** What the schema of the spec lets through and a table cannot hold. */
function checkSpec(data: DataSpec): void {
  const details: string[] = [];
  const spelled = new Map<string, string>();
  for (const column of [data.id, data.label.column, ...featureColumns(data)]) {
    // Of two columns that differ in case only, a Parquet reader finds one.
    const other = spelled.get(column.toLowerCase());
    if (other) details.push(`expected names that differ in more than case, got ${other} and ${column}`);
    spelled.set(column.toLowerCase(), column);
    if (column.includes('\0')) details.push(`expected a name without NUL, got ${JSON.stringify(column)}`);
  }
  for (const [i, { minimum, maximum }] of data.features.entries()) {
    if (Math.max(Math.abs(minimum), Math.abs(maximum)) > FLOAT32_MAXIMUM) {
      details.push(`expected bounds of data.features.${i} that fit float32, got ${minimum} and ${maximum}`);
    }
  }
  if (details.length > 0) throw new RefusedError('spec-invalid', details[0]!, details);
}
