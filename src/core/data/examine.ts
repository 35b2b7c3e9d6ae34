import path from 'node:path';
import { RefusedError, TransientError } from '../errors/index.js';
import type { CheckVerdict, DataSpec, Digest } from '../spec/index.js';
import { rowsByClass } from './accept-rows.js';
import { brokenProblems, classIndex, findBroken, type RowChecks, rowChecks } from './check.js';
import { dataColumns } from './columns.js';
import { type CrowdLabels, labelByCrowd } from './crowd-labels.js';
import { type Database, identifier, literal } from './database.js';
import { type FetchFile, loadForeignValues } from './foreign-values.js';
import type { DataProblem } from './problem.js';
import { releaseRows } from './quarantine.js';
import { readManifest } from './read-snapshot.js';
import { sanitise, type TransformCount } from './sanitise.js';
import { classProblems, splits } from './split.js';
import { unreadableParquet } from './stage-parquet.js';
import { type Format, stages } from './stages.js';
import type { StagedSource } from './staging.js';
import { judgeWhole } from './whole/registry.js';

export interface RowsInput {
  readonly database: Database;
  readonly data: DataSpec;
  readonly format: Format;
  /** The source. */
  readonly file: string;
  /** A folder for intermediate files, which the database can read. */
  readonly folder: string;
  readonly fetchFile: FetchFile;
  /** Rows that a person lets in. */
  readonly released: readonly Digest[];
  readonly signal?: AbortSignal | undefined;
}

export interface ExamineInput extends RowsInput {
  /** Puts the reference snapshot into a folder that does not exist yet. */
  readonly fetchReference: (snapshot: Digest, folder: string) => Promise<void>;
  readonly asOf?: Date;
  /** Is told when the source was read. */
  readonly onRead?: () => void;
}

/** The rows of a source, with the database as it was left: tables `raw` and `broken`. */
export interface FoundRows {
  readonly staged: StagedSource;
  readonly checks: RowChecks;
  readonly transforms: readonly TransformCount[];
  /** Rows that were read. */
  readonly read: number;
  /** Of these, the ones that break a rule. */
  readonly broken: number;
  /** SQL of the rows of `raw` that break none. */
  readonly sound: string;
  /** What a crowd makes of labels, where the label is a crowd's. */
  readonly crowd?: CrowdLabels;
}

export interface Examination extends FoundRows {
  readonly verdicts: readonly CheckVerdict[];
  /** Whether the sound rows may be accepted. */
  readonly accepted: boolean;
  /** Every problem, from the whole to the parts; also those that only set rows aside. */
  readonly problems: () => AsyncGenerator<DataProblem>;
}

/**
 * Reads a source, makes the declared changes and runs the checks of its rows.
 *
 * @throws RefusedError `spec-invalid` or `source-unreadable`; TransientError when disk or memory ran out; the signal's reason
 */
export async function readRowsOf(input: RowsInput, onRead?: () => void): Promise<FoundRows> {
  const { database, data, format, file, folder, signal } = input;
  const foreign = await loadForeignValues(database, data, folder, input.fetchFile, signal);
  const staged = await stages[format]({ database, data, file, folder, signal });
  onRead?.();
  const read = await countOf(database, 'raw');
  const transforms = await sanitise(database, data, staged);
  const crowd = await agreedLabels(database, data, staged, folder);
  const checks = await rowChecks(database, data, staged, foreign);
  await findBroken(database, checks);
  await releaseRows(database, data, checks, input.released);
  const broken = await countOf(database, '(SELECT DISTINCT row FROM broken)');
  const sound =
    broken === 0 ? 'raw' : '(SELECT * FROM raw ANTI JOIN (SELECT DISTINCT row FROM broken) USING (row))';
  return { staged, checks, transforms, read, broken, sound, ...(crowd && { crowd }) };
}

/** Puts labels in the place of votes, in the table `raw`. */
async function agreedLabels(
  database: Database,
  data: DataSpec,
  { columns, types }: StagedSource,
  folder: string,
): Promise<CrowdLabels | undefined> {
  const { crowd, column } = data.label;
  if (!crowd || !columns.has(column)) return undefined;
  if (types || data.sanitise) {
    await database.run('CREATE TABLE voted AS SELECT * FROM raw');
    await database.run('DROP VIEW raw');
    await database.run('ALTER TABLE voted RENAME TO raw');
  }
  return labelByCrowd(database, data, crowd, folder);
}

/**
 * {@link readRowsOf}, and the checks of the data as a whole.
 *
 * @throws as {@link readRowsOf} does
 */
export async function examine(input: ExamineInput): Promise<Examination> {
  const { database, data, format, file, signal } = input;
  try {
    const found = await readRowsOf(input, input.onRead);
    const { staged, checks, broken, sound } = found;
    const rows = broken === 0 && !data.sanitise ? found.read : await countOf(database, sound);

    const whole: DataProblem[] = [
      ...staged.problems,
      ...(found.crowd?.problems ?? []),
      ...rowCountProblems(data, data.quarantine ? rows : rows + broken),
    ];
    if (data.quarantine && broken > data.quarantine.maximumShare * (rows + broken)) {
      whole.push({
        rule: 'quarantine-share',
        row: null,
        value: `${broken} of ${rows + broken} rows`,
        expected: `at most a share of ${data.quarantine.maximumShare} of rows that break a rule`,
      });
    }
    const late: DataProblem[] = [];
    if (staged.columns.has(data.label.column)) {
      const from = data.quarantine ? sound : 'raw';
      late.push(...classProblems(data, await rowsByClass(database, data, classIndex(data), from)));
    }
    const complete = dataColumns(data).every(({ name }) => staged.columns.has(name));
    const verdicts = complete ? await judge(input, sound, rows) : [];
    late.push(...verdicts.flatMap(verdictProblems));
    return {
      ...found,
      verdicts,
      accepted: whole.length === 0 && late.length === 0 && (broken === 0 || data.quarantine !== undefined),
      async *problems() {
        yield* whole;
        yield* brokenProblems(database, data, checks);
        yield* late;
      },
    };
  } catch (error) {
    if (error instanceof RefusedError || error instanceof TransientError || signal?.aborted) throw error;
    // Only the view of a Parquet file is read this late.
    throw format === 'parquet' ? unreadableParquet(error, file) : error;
  }
}

async function judge(
  { database, data, folder, fetchReference, asOf }: ExamineInput,
  sound: string,
  rows: number,
): Promise<readonly CheckVerdict[]> {
  if (!data.checks && !data.columns) return [];
  const typed = dataColumns(data).flatMap(({ typed, raw, kind }) =>
    kind === 'id' || kind === 'label' ? [] : [`${typed} AS ${raw}`],
  );
  const from = `(SELECT id, ${classIndex(data)} AS class, ${typed.join(', ')} FROM ${sound})`;
  const table = { database, data, from, rows, ...(asOf && { asOf }) };
  const compared = data.checks?.some(({ check }) => check === 'drift' || check === 'vector-drift');
  if (!data.reference || !compared) return judgeWhole(table);
  const reference = path.join(folder, 'reference');
  await fetchReference(data.reference, reference);
  return judgeWhole({ ...table, reference: await referenceTable(data, reference) });
}

async function referenceTable(data: DataSpec, folder: string) {
  const manifest = await readManifest(folder);
  const columns = new Set([
    manifest.label.column,
    ...(manifest.text ? [manifest.text.column] : manifest.features.map(({ column }) => column)),
    ...(manifest.others ?? []).map(({ column }) => column),
  ]);
  const files = splits.map((split) => literal(path.join(folder, `${split}.parquet`)));
  const label =
    `list_position([${data.label.classes.map((name) => literal(String(name))).join(', ')}], ` +
    `${identifier(manifest.label.column)}::VARCHAR) - 1`;
  const selected = dataColumns(data).flatMap(({ name, raw, kind, other }) => {
    if (kind === 'id' || kind === 'label') return [];
    const type =
      kind === 'feature' ? 'DOUBLE' : kind === 'text' || other?.type === 'text' ? 'VARCHAR' : undefined;
    const value = columns.has(name) ? identifier(name) : 'NULL';
    return [`${value}${type ? `::${type}` : ''} AS ${raw}`];
  });
  return {
    from:
      `(SELECT ${identifier(manifest.id)} AS id, ${label} AS class, ${selected.join(', ')} ` +
      `FROM read_parquet([${files.join(', ')}], hive_partitioning = false))`,
    rows: splits.reduce((sum, split) => sum + manifest.rows[split], 0),
    columns,
  };
}

async function countOf(database: Database, from: string): Promise<number> {
  const [{ rows } = { rows: 0 }] = await database.rows(`SELECT count(*)::DOUBLE AS rows FROM ${from}`);
  return Number(rows);
}

function rowCountProblems({ rows: { minimum, maximum } }: DataSpec, rows: number): readonly DataProblem[] {
  if (rows >= minimum && rows <= maximum) return [];
  return [{ rule: 'row-count', row: null, value: `${rows} rows`, expected: `${minimum} to ${maximum} rows` }];
}

function verdictProblems({ check, column, status, reason }: CheckVerdict): readonly DataProblem[] {
  if (status === 'pass') return [];
  return [
    {
      rule: check,
      ...(column !== undefined && { column }),
      row: null,
      value: reason,
      expected: status === 'fail' ? 'the check to pass' : 'enough rows to tell',
      ...(status === 'inconclusive' && { inconclusive: true as const }),
    },
  ];
}
