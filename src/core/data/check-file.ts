import { copyFile, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusedError } from '../errors/index.js';
import type { CheckVerdict, DataSpec, Digest } from '../spec/index.js';
import { openDatabase } from './database.js';
import { examine } from './examine.js';
import { localFiles } from './foreign-values.js';
import type { DataProblem } from './problem.js';
import { tallyProblems } from './report.js';
import type { TransformCount } from './sanitise.js';
import { formatOf } from './stages.js';

/** What the rules of a data block say of a file. */
export interface CheckedFile {
  /** What a run would do with it. */
  readonly status: 'accepted' | 'refused' | 'inconclusive';
  readonly rows: number;
  /** Rows that break a rule; where the data is accepted, they are set aside. */
  readonly broken: number;
  readonly problems: number;
  readonly problemsByRule: Readonly<Record<string, number>>;
  /** A few sentences for a terminal; empty where nothing is wrong. */
  readonly summary: readonly string[];
  readonly transforms: readonly TransformCount[];
  readonly verdicts: readonly CheckVerdict[];
}

export interface CheckFileOptions {
  /** Resolves the paths that the data block names. */
  readonly resolve: (source: string) => string;
  readonly fetchReference: (snapshot: Digest, folder: string) => Promise<void>;
  readonly asOf: Date;
  /** Is told of every problem, from the whole to the parts. */
  readonly onProblem?: (problem: DataProblem) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

/**
 * Holds a file against a data block, as ingestion would, and keeps nothing.
 *
 * @throws RefusedError as ingestion does, and `source-missing`
 */
export async function checkFile(
  source: string,
  data: DataSpec,
  { resolve, fetchReference, asOf, onProblem, signal }: CheckFileOptions,
): Promise<CheckedFile> {
  const format = formatOf(data);
  const found = await stat(source).catch(() => undefined);
  if (!found?.isFile()) throw new RefusedError('source-missing', `expected the file ${source}, got none`);
  if (found.size === 0)
    throw new RefusedError('source-unreadable', `${source}: expected data, got an empty file`);
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'assay-check-'));
  const database = await openDatabase(folder, signal);
  try {
    const file = path.join(folder, 'source');
    await copyFile(source, file);
    const fetchFile = localFiles(resolve);
    const input = { database, data, format, file, folder, fetchFile, fetchReference, asOf, signal };
    const examined = await examine({ ...input, released: [] });
    const tally = tallyProblems();
    for await (const problem of examined.problems()) {
      tally.add(problem);
      await onProblem?.(problem);
    }
    return {
      status: examined.accepted ? 'accepted' : tally.inconclusive() ? 'inconclusive' : 'refused',
      rows: examined.read,
      broken: examined.broken,
      problems: tally.total(),
      problemsByRule: tally.byRule(),
      // Its first sentence says that nothing was accepted.
      summary: examined.accepted ? tally.summary().slice(1) : tally.summary(),
      transforms: examined.transforms,
      verdicts: examined.verdicts,
    };
  } finally {
    database.close();
    await rm(folder, { recursive: true, force: true });
  }
}
