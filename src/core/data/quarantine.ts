import { RefusedError } from '../errors/index.js';
import type { DataSpec, Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';
import type { RowChecks } from './check.js';
import { dataColumns } from './columns.js';
import { type Database, literal } from './database.js';

/** One row that broke a rule, and was set aside. */
export interface QuarantinedRow {
  /** In the source: 1 is the first record. */
  readonly row: number;
  readonly id: string | null;
  /** Of the row's values: what a decision names. */
  readonly digest: Digest;
  /** As they were when they were checked, in the order of the columns. */
  readonly values: readonly (string | null)[];
  readonly reasons: readonly {
    readonly rule: string;
    readonly column: string | null;
    readonly expected: string;
  }[];
  /** Whether a person may let it in. A row that the model cannot take as it is has to be corrected at its source. */
  readonly releasable: boolean;
}

export interface QuarantineSet {
  readonly head: QuarantineHead;
  readonly rows: readonly QuarantinedRow[];
}

export interface QuarantineHead {
  readonly kind: 'assay-quarantine';
  readonly version: 1;
  readonly source: Digest;
  readonly columns: readonly string[];
  /** Rows that broke a rule; a set lists no more than the first of them. */
  readonly rows: number;
}

/** Rows that a set lists. The source itself is kept, so that nothing is lost with the others. */
const MOST_ROWS = 100_000;
const BATCH = 1000;

/** Rules that say what is plausible. All others say what the model can take, or which row is which. */
const waivable = new Set([
  'pattern',
  'length',
  'characters',
  'foreign-value',
  'rule',
  'duplicate',
  'image',
  'value',
  'range',
]);

/**
 * Lets in rows that a person decided on: takes them out of the table `broken`.
 *
 * @param released - digests of rows
 */
export async function releaseRows(
  database: Database,
  data: DataSpec,
  checks: RowChecks,
  released: readonly Digest[],
): Promise<void> {
  if (released.length === 0) return;
  const digests = released.map((digest) => `(${literal(digest)})`).join(', ');
  await database.run(
    `DELETE FROM broken WHERE row IN (SELECT row FROM raw JOIN (SELECT row FROM broken GROUP BY row ` +
      `HAVING bool_and(${waivableSql(data, checks)})) USING (row) ` +
      `WHERE ${rowDigest(data)} IN (SELECT d FROM (VALUES ${digests}) AS released(d)))`,
  );
}

/** Writes the rows of the table `broken` as a blob of JSON Lines: a head, and then one row a line. */
export async function writeQuarantine(
  store: Store,
  database: Database,
  data: DataSpec,
  checks: RowChecks,
  about: { readonly source: Digest; readonly rows: number },
): Promise<Digest> {
  const columns = dataColumns(data);
  const head: QuarantineHead = {
    kind: 'assay-quarantine',
    version: 1,
    source: about.source,
    columns: columns.map(({ name }) => name),
    rows: about.rows,
  };
  const expected = (i: number): { column: string | null; expected: string } => {
    const check = checks.checks[i];
    const set = checks.unique[i - checks.checks.length]?.map(({ name }) => name);
    if (check) return { column: check.column, expected: check.expected };
    return set
      ? { column: set[0]!, expected: `other values of ${set.join(', ')} than another row` }
      : { column: null, expected: 'a whole record' };
  };
  async function* lines(): AsyncGenerator<Uint8Array> {
    let text = `${JSON.stringify(head)}\n`;
    let batched = 0;
    const result = await database.stream(
      `SELECT row, any_value(id::VARCHAR), any_value(${rowDigest(data)}), any_value(to_json(${textsOf(data)})::VARCHAR), ` +
        `list(i ORDER BY i), list(broken.rule ORDER BY i), bool_and(${waivableSql(data, checks)}) ` +
        `FROM (SELECT row, i, rule FROM broken) AS broken JOIN (SELECT * EXCLUDE (rule) FROM raw) AS raw USING (row) ` +
        `GROUP BY row ORDER BY row LIMIT ${MOST_ROWS}`,
    );
    for await (const rows of result.yieldRowsJs()) {
      for (const [row, id, digest, values, indices, rules, releasable] of rows) {
        const quarantined: QuarantinedRow = {
          row: Number(row),
          id: id === null ? null : String(id),
          digest: String(digest) as Digest,
          values: JSON.parse(String(values)) as QuarantinedRow['values'],
          reasons: (rules as readonly string[]).map((rule, i) => ({
            rule,
            ...expected(Number((indices as readonly number[])[i])),
          })),
          releasable: releasable === true,
        };
        text += `${JSON.stringify(quarantined)}\n`;
        batched += 1;
        if (batched % BATCH !== 0) continue;
        yield Buffer.from(text);
        text = '';
      }
    }
    yield Buffer.from(text);
  }
  return store.putBlob(lines());
}

/** SQL over `broken`: whether a person may waive the broken rule. */
function waivableSql(data: DataSpec, { checks, unique }: RowChecks): string {
  const others = new Set((data.columns ?? []).map(({ name }) => name));
  const plausible = checks.flatMap(({ column, value }, i) =>
    // A feature in a range that the model does not know would leave the box that attacks stay in.
    /^f\d+$/.test(value) || (value === 'label' && !others.has(column)) || value === 'id' ? [] : [i],
  );
  const sets = unique.flatMap(([first], i) => (first?.kind === 'id' ? [] : [checks.length + i]));
  const names = [...waivable].map(literal).join(', ');
  return `(i IN (${[-2, ...plausible, ...sets].join(', ')}) AND broken.rule IN (${names}))`;
}

/** SQL over `raw`: the values as text, in the order of the columns. */
function textsOf(data: DataSpec): string {
  return `[${dataColumns(data)
    .map(({ raw }) => `${raw}::VARCHAR`)
    .join(', ')}]`;
}

/** SQL over `raw`: names the row by what is in it, and by what its columns are called. */
function rowDigest(data: DataSpec): string {
  const names = JSON.stringify(dataColumns(data).map(({ name }) => name));
  return `('sha256:' || sha256(${literal(names)} || to_json(${textsOf(data)})::VARCHAR))`;
}

/**
 * Reads a quarantine set.
 * @throws RefusedError `not-found` for a blob that is none
 */
export async function readQuarantine(store: Store, digest: Digest): Promise<QuarantineSet> {
  const [first = '', ...lines] = Buffer.from(await store.readBlob(digest))
    .toString()
    .trimEnd()
    .split('\n');
  const head = parsed(first);
  if (head?.kind !== 'assay-quarantine')
    throw new RefusedError('not-found', `expected a quarantine set at ${digest}, got another blob`);
  return { head, rows: lines.map((line) => JSON.parse(line) as QuarantinedRow) };
}

function parsed(line: string): QuarantineHead | undefined {
  try {
    return JSON.parse(line) as QuarantineHead;
  } catch {
    return undefined;
  }
}
