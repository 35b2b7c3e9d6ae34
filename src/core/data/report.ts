import type { Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';
import type { DataProblem, DataRule } from './problem.js';

const SUMMARY_EXAMPLES = 3;
const SUMMARY_VALUE_LENGTH = 80;
const BATCH = 1000;

export interface Report {
  readonly problems: number;
  /** A few sentences for a terminal. */
  readonly summary: readonly string[];
  /** The blob that lists every problem. */
  readonly digest: Digest;
  /** All problems are that there are too few rows to tell. */
  readonly inconclusive: boolean;
}

interface RuleCount {
  count: number;
  readonly examples: string[];
}

/** Problems as they come, counted. */
export interface Tally {
  add(problem: DataProblem): void;
  readonly total: () => number;
  /** All of them are that there are too few rows to tell. */
  readonly inconclusive: () => boolean;
  /** Sorted by rule. */
  readonly byRule: () => Readonly<Record<string, number>>;
  readonly summary: () => readonly string[];
}

export function tallyProblems(): Tally {
  const counts = new Map<DataRule, RuleCount>();
  let total = 0;
  let inconclusive = true;
  return {
    add(problem) {
      total += 1;
      inconclusive &&= problem.inconclusive === true;
      count(counts, problem);
    },
    total: () => total,
    inconclusive: () => total > 0 && inconclusive,
    byRule: () => Object.fromEntries([...counts].sort().map(([rule, { count }]) => [rule, count])),
    summary: () => (total === 0 ? [] : summarize(counts, total)),
  };
}

/**
 * Writes every problem into one JSON blob as it is found, so that a report of any length takes constant memory:
 * `{ kind, version, source, rows, problems: [...], counts, total }`.
 */
export async function reportProblems(
  store: Store,
  source: Digest,
  problems: AsyncIterable<DataProblem>,
): Promise<Report> {
  const tally = tallyProblems();
  async function* json(): AsyncGenerator<Uint8Array> {
    const about =
      'Row 1 is the first record; a header and blank lines are not counted. Null: the source as a whole.';
    const head = { kind: 'assay-data-report', version: 1, source, rows: about };
    let text = `${JSON.stringify(head).slice(0, -1)},"problems":[\n`;
    for await (const problem of problems) {
      text += `${tally.total() === 0 ? '' : ',\n'}${JSON.stringify(problem)}`;
      tally.add(problem);
      if (tally.total() % BATCH === 0) {
        yield Buffer.from(text);
        text = '';
      }
    }
    yield Buffer.from(`${text}\n],"counts":${JSON.stringify(tally.byRule())},"total":${tally.total()}}\n`);
  }
  const digest = await store.putBlob(json());
  return { problems: tally.total(), summary: tally.summary(), digest, inconclusive: tally.inconclusive() };
}

function count(counts: Map<DataRule, RuleCount>, problem: DataProblem): void {
  const entry = counts.get(problem.rule) ?? { count: 0, examples: [] };
  counts.set(problem.rule, entry);
  entry.count += 1;
  if (entry.examples.length < SUMMARY_EXAMPLES) entry.examples.push(problemSentence(problem));
}

function summarize(counts: ReadonlyMap<DataRule, RuleCount>, total: number): readonly string[] {
  return [
    `${total} ${total === 1 ? 'problem' : 'problems'} found; nothing was accepted.`,
    ...[...counts]
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([rule, { count, examples }]) => {
        const more = count > examples.length ? `; and ${count - examples.length} more` : '';
        return `${rule} (${count}): ${examples.join('; ')}${more}`;
      }),
  ];
}

/** `row 17, column p03: expected an integer from 0 to 16, got "99"`. Found text is quoted: it may hold anything. */
export function problemSentence({ column, row, id, value, expected }: DataProblem): string {
  const where = [
    row === null ? undefined : `row ${row}${id === undefined ? '' : ` (${JSON.stringify(id)})`}`,
    column === undefined ? undefined : `column ${JSON.stringify(column)}`,
  ].filter((part) => part !== undefined);
  const place = where.length > 0 ? `${where.join(', ')}: ` : '';
  const short =
    value && value.length > SUMMARY_VALUE_LENGTH ? `${value.slice(0, SUMMARY_VALUE_LENGTH)}…` : value;
  return `${place}expected ${expected}${short === undefined ? '' : `, got ${JSON.stringify(short)}`}`;
}
