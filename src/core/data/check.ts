import type { DataCheckOf, DataSpec } from '../spec/index.js';
import type { CellCheck } from './cell-check.js';
import { type DataColumn, dataColumns, typedValue } from './columns.js';
import { type Database, literal } from './database.js';
import { type RowExpression, readExpression, withTypedColumns } from './expression.js';
import { featureRule, nativeRule } from './feature-rule.js';
import { imageChecks } from './image-checks.js';
import { otherExpectation, otherRule } from './other-column.js';
import { requirePattern } from './pattern.js';
import { type DataProblem, type DataRule, EXCERPT_LENGTH } from './problem.js';
import type { StagedSource } from './staging.js';

const ID_LENGTH = 256;

/** What the checks of rows need to know beside the data block. */
export interface RowChecks {
  readonly checks: readonly CellCheck[];
  /** SQL: `raw`, with what the checks of expressions read beside it. */
  readonly from: string;
  /** Sets of columns of which no two rows may have equal values; the id comes first. */
  readonly unique: readonly (readonly DataColumn[])[];
}

/**
 * Reads the rules of a data block.
 *
 * @param foreign - tables of the values of other files, by column of the source: see `loadForeignValues`
 * @throws RefusedError `spec-invalid` for an expression that is none
 */
export async function rowChecks(
  database: Database,
  data: DataSpec,
  { columns, types }: StagedSource,
  foreign: ReadonlyMap<string, string> = new Map(),
): Promise<RowChecks> {
  const byName = new Map(dataColumns(data).map((column) => [column.name, column]));
  const cells = cellChecks(data, types ?? new Map(), foreign);
  const rules: CellCheck[] = [];
  const expressions: RowExpression[] = [];
  for (const { pattern } of data.columns ?? [])
    if (pattern !== undefined) await requirePattern(database, pattern);
  const unique: DataColumn[][] = columns.has(data.id) ? [[byName.get(data.id)!]] : [];
  for (const check of data.checks ?? []) {
    if (check.check === 'rule') {
      const expression = await readExpression(database, data, check.expression);
      expressions.push(expression);
      rules.push(ruleCheck(check, expression, cells));
    } else if (check.check === 'unique') {
      unique.push(check.columns.map((name) => byName.get(name)!));
    } else if (check.check === 'image') rules.push(...imageChecks(data, check));
  }
  const present = ({ column, others = [] }: CellCheck) =>
    [column, ...others].every((name) => columns.has(name));
  return {
    checks: [...cells, ...rules].filter(present),
    from: withTypedColumns('raw', expressions),
    unique: unique.filter((set) => set.every(({ name }) => columns.has(name))),
  };
}

/**
 * Finds every value of the table `raw` that breaks a rule, in one pass, and then values that are not unique: the table `broken`, of
 * `row`, `id`, `i`, `rule`, `value` and, for what comes twice, the `other` row. Of rows that come twice, the first is not `told`.
 */
export async function findBroken(database: Database, { checks, from, unique }: RowChecks): Promise<void> {
  const broken = checks.map(
    (check, i) => `{i: ${i}, rule: ${check.rule}, value: left((${check.value})::VARCHAR, ${EXCERPT_LENGTH})}`,
  );
  const anyBroken = ['rule', ...checks.map((check) => check.rule)].join(', ');
  // Checks are only laid out as a list for the rows that break one.
  await database.run(
    'CREATE OR REPLACE TABLE broken AS ' +
      `SELECT row, left(id::VARCHAR, ${EXCERPT_LENGTH}) AS id, found.i AS i, found.rule AS rule, found.value AS value, ` +
      'NULL::BIGINT AS other, true AS told FROM (' +
      `SELECT row, id, unnest(list_filter([{i: -1, rule: rule, value: fault || ': ' || excerpt}, ${broken.join(', ')}], ` +
      // The values of an unparseable row are not missing: they could not be read.
      `lambda cell: cell.rule IS NOT NULL AND (cell.i = -1 OR source.rule IS DISTINCT FROM 'unparseable-row'))) AS found ` +
      `FROM ${from} AS source WHERE coalesce(${anyBroken}) IS NOT NULL)`,
  );
  for (const [index, set] of unique.entries()) {
    // In their own types: 1.0 is 1, and 12:00+02:00 is 10:00Z.
    const typed = set.map((column, k) => `${column.typed} AS u${k}`).join(', ');
    const names = set.map((_, k) => `u${k}`).join(', ');
    const known = set.map((_, k) => `u${k} IS NOT NULL`).join(' AND ');
    const shown = set.length === 1 ? `${names}::VARCHAR` : `concat_ws(' ', ${names})`;
    // By their hashes first: most sets have no value twice, and to find that out takes neither the values nor a join.
    const hashed = `(SELECT *, hash(${names}) AS h FROM (SELECT row, id, ${typed} FROM raw))`;
    await database.run(
      `CREATE OR REPLACE TABLE suspects AS SELECT h FROM ${hashed} WHERE ${known} GROUP BY h HAVING count(*) > 1`,
    );
    const [{ suspects } = { suspects: 0 }] = await database.rows(
      'SELECT count(*)::DOUBLE AS suspects FROM suspects',
    );
    if (Number(suspects) === 0) continue;
    const keys = `(SELECT * FROM ${hashed} SEMI JOIN suspects USING (h) WHERE ${known})`;
    await database.run(
      `INSERT INTO broken SELECT row, left(id::VARCHAR, ${EXCERPT_LENGTH}), ${checks.length + index}, ` +
        `'${index === 0 && set[0]!.kind === 'id' ? 'duplicate-id' : 'duplicate'}', left(${shown}, ${EXCERPT_LENGTH}), ` +
        `if(row = first, last, first), row <> first FROM ${keys} ` +
        `JOIN (SELECT ${names}, min(row) AS first, max(row) AS last FROM ${keys} ` +
        `GROUP BY ALL HAVING count(*) > 1) USING (${names})`,
    );
  }
}

/** What {@link findBroken} found, in the order of rows; then what comes twice. */
export async function* brokenProblems(
  database: Database,
  data: DataSpec,
  { checks, unique }: RowChecks,
): AsyncGenerator<DataProblem> {
  const result = await database.stream(
    'SELECT row, id, i, rule, value, other FROM broken WHERE told ' +
      `ORDER BY greatest(i, ${checks.length - 1}), row, i`,
  );
  for await (const rows of result.yieldRowsJs()) {
    for (const [row, id, i, rule, value, other] of rows) {
      const index = Number(i);
      const check = checks[index];
      const set = unique[index - checks.length];
      const column = check?.column ?? set?.[0]?.name;
      yield {
        rule: rule as DataRule,
        ...(column !== undefined && { column }),
        row: Number(row),
        ...(id !== null && { id: String(id) }),
        ...(value !== null && { value: String(value) }),
        expected:
          check?.expected ??
          (set ? duplicateExpectation(data, set, Number(other)) : recordExpectation(rule as DataRule)),
      };
    }
  }
}

/** Every problem of the table `raw`, row by row, found in one pass; then values that are not unique. */
export async function* cellProblems(
  database: Database,
  data: DataSpec,
  staged: StagedSource,
): AsyncGenerator<DataProblem> {
  const checks = await rowChecks(database, data, staged);
  await findBroken(database, checks);
  yield* brokenProblems(database, data, checks);
}

function recordExpectation(rule: DataRule): string {
  return rule === 'unparseable-row' ? 'a whole record' : 'the fields of the data block, each once';
}

function duplicateExpectation(data: DataSpec, set: readonly DataColumn[], other: number): string {
  const names = set.map(({ name }) => name);
  return names.length === 1 && names[0] === data.id
    ? `another id than row ${other}`
    : `other values of ${names.join(', ')} than row ${other}`;
}

/** One rule over several columns. A row whose columns break rules of their own has been told of already. */
function ruleCheck(
  { name, expression: text }: DataCheckOf<'rule'>,
  { sql, columns }: RowExpression,
  cells: readonly CellCheck[],
): CellCheck {
  const names = columns.map((column) => column.name);
  const own = cells.filter(({ column }) => names.includes(column)).map(({ rule }) => rule);
  const sound = own.length > 0 ? `coalesce(${own.join(', ')}) IS NULL AND ` : '';
  const [column = '', ...others] = names;
  return {
    column,
    others,
    value: columns.length === 0 ? "''" : `concat_ws(' ', ${columns.map(({ raw }) => raw).join(', ')})`,
    // An expression that is unknown, or fails, is not true.
    rule: `CASE WHEN ${sound}TRY(${sql}) IS NOT TRUE THEN 'rule' END`,
    expected: `${name}: ${text}`,
  };
}

/** The checks in the order of a report: id, label, features in model order. */
function cellChecks(
  data: DataSpec,
  types: ReadonlyMap<string, string>,
  foreign: ReadonlyMap<string, string>,
): readonly CellCheck[] {
  const { column, classes } = data.label;
  let index = 0;
  return [
    {
      column: data.id,
      value: 'id',
      rule:
        "CASE WHEN id IS NULL THEN 'missing-value' " +
        `WHEN length(id) > ${ID_LENGTH} OR regexp_matches(id, '[\\x00-\\x1f\\x7f]') THEN 'type' END`,
      expected: `1 to ${ID_LENGTH} characters without control characters`,
    },
    {
      column,
      value: 'label',
      rule: `CASE WHEN label IS NULL THEN 'missing-value' WHEN ${classIndex(data)} IS NULL THEN 'unknown-label' END`,
      expected: data.label.crowd
        ? 'a JSON object of what each contributor says, with a vote among it, as data.label.crowd has them'
        : `one of ${classes.slice(0, 20).join(', ')}${classes.length > 20 ? ', …' : ''}`,
    },
    ...data.features.flatMap((feature) =>
      feature.columns.map((name) => {
        const value = `f${index++}`;
        const expected = feature.values
          ? `one of ${feature.values.slice(0, 20).join(', ')}${feature.values.length > 20 ? ', …' : ''}`
          : `${feature.type === 'integer' ? 'an integer' : 'a number'} from ${feature.minimum} to ${feature.maximum}`;
        const rule = types.has(name) ? nativeRule(value, feature) : featureRule(value, feature);
        return { column: name, value, rule, expected };
      }),
    ),
    ...textChecks(data),
    ...groupChecks(data),
    ...(data.columns ?? []).map((other, i) => ({
      column: other.name,
      value: `o${i}`,
      rule: otherRule(`o${i}`, other, { foreign: foreign.get(other.name), native: types.has(other.name) }),
      expected: otherExpectation(other),
    })),
  ];
}

function textChecks({ text }: DataSpec): readonly CellCheck[] {
  if (!text) return [];
  return [
    {
      column: text.column,
      value: 'f0',
      rule: `CASE WHEN f0 IS NULL THEN 'missing-value' WHEN length(f0) > ${text.maximumLength} THEN 'text-length' END`,
      expected: `a text of at most ${text.maximumLength} characters`,
    },
  ];
}

/** One a group of which exactly one column is 1. Values that are missing or no numbers break rules of their own. */
function groupChecks(data: DataSpec): readonly CellCheck[] {
  let index = 0;
  return data.features.flatMap((feature) => {
    const names = feature.columns.map(() => `f${index++}`);
    const [column, ...others] = feature.columns as [string, ...string[]];
    if (!feature.oneHot) return [];
    const countOf = (value: number): string =>
      names.map((name) => `(${typedValue(name, feature)} = ${value})::INTEGER`).join(' + ');
    return [
      {
        column,
        others,
        value: `concat_ws(' ', ${names.join(', ')})`,
        rule: `CASE WHEN ${countOf(1)} <> 1 OR ${countOf(0)} <> ${names.length - 1} THEN 'one-hot' END`,
        expected: `one 1 and otherwise 0 in columns ${column} to ${others.at(-1)}`,
      },
    ];
  });
}

/** SQL: the class index of a row of `raw`, or NULL. */
export function classIndex(data: DataSpec): string {
  const classes = data.label.classes.map((name) => literal(String(name)));
  return `list_position([${classes.join(', ')}], label) - 1`;
}
