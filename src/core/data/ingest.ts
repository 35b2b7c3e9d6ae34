import { mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RefusedError } from '../errors/index.js';
import type { DataAccount, DataSpec, Digest, SnapshotRecord } from '../spec/index.js';
import { canonicalJson, type Store } from '../store/index.js';
import { acceptRows, rowsByClass } from './accept-rows.js';
import { dataColumns } from './columns.js';
import { type Database, openDatabase } from './database.js';
import { type Examination, examine } from './examine.js';
import type { FileDigests } from './foreign-values.js';
import { writeQuarantine } from './quarantine.js';
import { reportProblems } from './report.js';
import { assignSplits } from './split.js';
import { formatOf } from './stages.js';
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
      /** Nothing is known to be wrong, but there are too few rows to tell. */
      readonly inconclusive: boolean;
      /** Blob of the rows that break a rule, with reasons: see `writeQuarantine`. */
      readonly quarantine?: Digest | undefined;
    };

export interface IngestOptions {
  readonly store: Store;
  /** The blob to read. */
  readonly source: Digest;
  readonly data: DataSpec;
  /** Blobs of the other files that the data block names, by their paths in it. */
  readonly files?: FileDigests;
  /** Rows that people let in, by the statement that says so. Whether it may say so is for those who sign to check. */
  readonly releases?: readonly RowRelease[];
  /** When the run began: freshness is measured against it, where a check asks for it. */
  readonly asOf?: Date;
  /** A folder for temporary files, on a disk with room for a few copies of the source. It is left as it was. */
  readonly workFolder: string;
  readonly signal?: AbortSignal;
  /** Is told what fraction is done, in [0, 1]. */
  readonly onProgress?: (fraction: number) => void;
}

/** A decision by which rows that broke a rule are let in. */
export interface RowRelease {
  /** Envelope of the statement. */
  readonly decision: Digest;
  /** Digests of rows, as a quarantine set lists them. */
  readonly rows: readonly Digest[];
}

/** Models see float32: a larger bound would let values in that become infinite. */
const FLOAT32_MAXIMUM = 3.4028234663852886e38;

/**
 * Makes the declared changes to a source, validates it and freezes it as a snapshot, or refuses it with a report of every problem. No
 * row is repaired or guessed; rows that break a rule are set aside where the data block says so, and kept with the reasons.
 *
 * A snapshot is a function of the accepted rows and the spec: its Parquet files are the same, byte for byte, on every
 * run of the same DuckDB version, whatever the order of the source's rows. (Its manifest also names the source's digest.)
 *
 * @throws RefusedError `spec-invalid`, `blob-missing`, `blob-corrupt`, or `source-unreadable` when the source is not even of
 * its format; TransientError when disk or memory ran out; the signal's reason
 */
export async function ingest(options: IngestOptions): Promise<IngestResult> {
  const { store, source, data, releases = [], files = {}, signal, onProgress } = options;
  const format = formatOf(data);
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
    const found = await examine({
      database,
      data,
      format,
      file,
      folder,
      fetchFile: (name, target) => store.fetchBlob(digestOfFile(files, name), target),
      fetchReference: (snapshot, target) => store.fetchTree(snapshot, target),
      released: releases.flatMap(({ rows }) => rows),
      ...(options.asOf && { asOf: options.asOf }),
      onRead: () => onProgress?.(0.4),
      signal,
    });
    onProgress?.(0.6);
    const { checks, broken } = found;
    const quarantine =
      broken > 0
        ? { quarantine: await writeQuarantine(store, database, data, checks, { source, rows: broken }) }
        : {};
    if (!found.accepted) {
      const { digest, problems, summary, inconclusive } = await reportProblems(
        store,
        source,
        found.problems(),
      );
      return { kind: 'refused', report: digest, problems, summary, inconclusive, ...quarantine };
    }

    await acceptRows(database, data, found.sound);
    const classRows = await assignSplits(
      database,
      data,
      await rowsByClass(database, data, 'class', 'accepted'),
    );
    const output = path.join(folder, 'snapshot');
    await mkdir(output);
    const manifest = await writeSnapshot(database, { data, source, classRows, folder: output });
    if (found.crowd)
      await writeFile(path.join(output, 'crowd.json'), canonicalJson(found.crowd.report), { flag: 'wx' });
    onProgress?.(0.9);

    const snapshot = await store.putTree(output);
    onProgress?.(1);
    const counts = { classes: data.label.classes.length, features: manifest.features.length };
    const account = { ...accountOf(found, data, files, releases), ...quarantine };
    return { kind: 'accepted', record: { snapshot, source, rows: manifest.rows, ...counts, account } };
  } finally {
    database?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function accountOf(
  { transforms, verdicts, read, broken }: Examination,
  data: DataSpec,
  files: FileDigests,
  releases: readonly RowRelease[],
): DataAccount {
  return {
    parent: data.reference ?? null,
    files: { ...files },
    transforms: [...transforms],
    checks: [...verdicts],
    read,
    refused: broken,
    releases: releases.map(({ decision }) => decision),
  };
}

function digestOfFile(files: FileDigests, name: string): Digest {
  const digest = Object.hasOwn(files, name) ? files[name] : undefined;
  if (digest) return digest;
  throw new RefusedError('source-missing', `expected the file ${name} with the source, got none`);
}

/** What the schema of the spec lets through and a table cannot hold. */
function checkSpec(data: DataSpec): void {
  const details: string[] = [];
  const spelled = new Map<string, string>();
  for (const { name: column } of dataColumns(data)) {
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
