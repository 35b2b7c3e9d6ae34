import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { DataSpec } from '../spec/index.js';
import { dataColumns } from './columns.js';
import { type Database, literal } from './database.js';
import { type DataProblem, type DataRule, EXCERPT_LENGTH } from './problem.js';
import { type TextRecord, textRecords } from './records.js';

/** A source in the database: what is wrong with it as a whole, and which columns can be looked at. */
export interface StagedSource {
  readonly problems: readonly DataProblem[];
  readonly columns: ReadonlySet<string>;
  /** Columns that the source keeps in their own type, such as 64-bit numbers, with their SQL types; all others are text. */
  readonly types?: ReadonlyMap<string, string>;
}

/**
 * Reads one format into the table `raw`: one row a record, every value as text or NULL, so that a bad value is found
 * by the checks and not lost in the reader.
 *
 * Columns: `row`, `rule` and `fault` (a record that could not be read, in the words of {@link DataProblem}), `excerpt`,
 * `id`, `label`, `f0`, `f1`, … and `o0`, `o1`, …: see `dataColumns`.
 *
 * @throws RefusedError `source-unreadable` when not even the columns can be told
 */
export type Stage = (source: StageInput) => Promise<StagedSource>;

export interface StageInput {
  readonly database: Database;
  readonly data: DataSpec;
  /** The source. */
  readonly file: string;
  /** A folder for intermediate files, which the database can read. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** Says which of the expected columns are there, once, and which others are. */
export function columnProblems(data: DataSpec, found: readonly string[]): StagedSource {
  const expected = dataColumns(data).map(({ name }) => name);
  const wanted = new Set(expected);
  const seen = new Set<string>();
  const problems: DataProblem[] = [];
  for (const column of found) {
    const rule = seen.has(column) ? 'duplicate-column' : wanted.has(column) ? undefined : 'extra-column';
    if (rule)
      problems.push({ rule, column, row: null, expected: 'the columns of the data block, each once' });
    seen.add(column);
  }
  for (const column of expected) {
    if (!seen.has(column))
      problems.push({ rule: 'missing-column', column, row: null, expected: 'this column' });
  }
  return { problems, columns: new Set(expected.filter((column) => seen.has(column))) };
}

/** What a format makes of one record. */
export interface StagedRecord {
  readonly fault?: { readonly rule: DataRule; readonly text: string };
  /** CSV of the record's values; empty when there are none to check. */
  readonly values: string;
}

/**
 * Writes every record of a text file, with its row number and fault, into a CSV file that has no faults of its own.
 * @returns SQL that reads it: columns `row`, `rule`, `fault`, `excerpt`, `c0`, …
 */
export async function stageText(
  { file, folder, signal }: StageInput,
  options: {
    readonly quoting: boolean;
    /** Learns the columns from the first record, where the format has a header; gives the number of values. */
    readonly header?: (record: TextRecord | undefined) => number;
    readonly record: (record: TextRecord, values: number) => StagedRecord;
  },
): Promise<string> {
  const staged = `${folder}/staged.csv`;
  const output = await open(staged, 'wx');
  let values: number | undefined = options.header ? undefined : 1;
  let row = 0;
  try {
    for await (const batch of textRecords(
      createReadStream(file, { highWaterMark: 1024 * 1024 }),
      options.quoting,
    )) {
      signal?.throwIfAborted();
      const lines: string[] = [];
      for (const record of batch) {
        if (values === undefined) {
          values = options.header!(record);
          continue;
        }
        row += 1;
        const { fault, values: text } = options.record(record, values);
        const prefix = fault
          ? `${row},${fault.rule},${quoted(fault.text)},${quoted(excerptOf(record))}`
          : `${row},,,`;
        lines.push(`${prefix},${text === '' ? ','.repeat(values - 1) : text}\n`);
      }
      if (lines.length > 0) await output.writeFile(lines.join(''));
    }
  } finally {
    await output.close();
  }
  values ??= options.header!(undefined);
  const columns = ['row', 'rule', 'fault', 'excerpt', ...Array.from({ length: values }, (_, i) => `c${i}`)];
  const types = columns.map((column) => `${column}: '${column === 'row' ? 'BIGINT' : 'VARCHAR'}'`);
  return (
    `read_csv(${literal(staged)}, columns = {${types.join(', ')}}, header = false, auto_detect = false, delim = ',', ` +
    `quote = '"', escape = '"', new_line = '\\n', max_line_size = 8388608, compression = 'none')`
  );
}

/** One CSV value in quotes. */
export const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** The start of a record, for people: bytes that are no text are replaced. */
export function excerptOf(record: TextRecord): string {
  return record.bytes
    .subarray(0, 4 * EXCERPT_LENGTH)
    .toString()
    .slice(0, EXCERPT_LENGTH)
    .replaceAll('\0', '\ufffd')
    .replaceAll('\r', '\ufffd');
}
