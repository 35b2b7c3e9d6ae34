import type { DataSpec, FeatureSpec } from '../spec/index.js';
import { type Database, literal } from './database.js';
import { type DataProblem, type DataRule, EXCERPT_LENGTH } from './problem.js';
import type { StagedSource } from './staging.js';

const INTEGER = "'-?[0-9]+(\\.0+)?'";
const NUMBER = "'[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?'";
const NOT_FINITE = "'[+-]?(nan|inf|infinity)'";
const ID_LENGTH = 256;
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;

/** One check of one value in every row. */
interface CellCheck {
  readonly column: string;
  /** Further columns that it looks at. */
  readonly others?: readonly string[];
  /** The column of `raw`. */
  readonly value: string;
  /** SQL: the broken rule, or NULL. */
  readonly rule: string;
  readonly expected: string;
}

/** Every problem of the table `raw`, row by row, found in one pass; then ids that are not unique. */
export async function* cellProblems(
  database: Database,
  data: DataSpec,
  { columns }: StagedSource,
): AsyncGenerator<DataProblem> {
  const checks = cellChecks(data).filter(({ column, others = [] }) =>
    [column, ...others].every((name) => columns.has(name)),
  );
  const broken = checks.map(
    (check, i) => `{i: ${i}, rule: ${check.rule}, value: left(${check.value}, ${EXCERPT_LENGTH})}`,
  );
  const anyBroken = ['rule', ...checks.map((check) => check.rule)].join(', ');
  // Checks are only laid out as a list for the rows that break one.
  const result = await database.stream(
    `SELECT row, left(id, ${EXCERPT_LENGTH}) AS id, found.i AS i, found.rule AS rule, found.value AS value FROM (` +
      `SELECT row, id, unnest(list_filter([{i: -1, rule: rule, value: fault || ': ' || excerpt}, ${broken.join(', ')}], ` +
      // The values of an unparseable row are not missing: they could not be read.
      `lambda cell: cell.rule IS NOT NULL AND (cell.i = -1 OR raw.rule IS DISTINCT FROM 'unparseable-row'))) AS found ` +
      `FROM raw WHERE coalesce(${anyBroken}) IS NOT NULL) ORDER BY row, i`,
  );
  for await (const rows of result.yieldRowsJs()) {
    for (const [row, id, index, rule, value] of rows) {
      const check = checks[Number(index)];
      yield {
        rule: rule as DataRule,
        ...(check && { column: check.column }),
        row: Number(row),
        ...(id !== null && { id: String(id) }),
        ...(value !== null && { value: String(value) }),
        expected: check?.expected ?? recordExpectation(rule as DataRule),
      };
    }
  }
  if (columns.has(data.id)) yield* duplicateIds(database, data);
}

function recordExpectation(rule: DataRule): string {
  return rule === 'unparseable-row' ? 'a whole record' : 'the fields of the data block, each once';
}

async function* duplicateIds(database: Database, data: DataSpec): AsyncGenerator<DataProblem> {
  const result = await database.stream(
    `SELECT row, left(id, ${EXCERPT_LENGTH}), first FROM raw ` +
      'JOIN (SELECT id, min(row) AS first FROM raw WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1) USING (id) ' +
      'WHERE row <> first ORDER BY row',
  );
  for await (const rows of result.yieldRowsJs()) {
    for (const [row, id, first] of rows) {
      const shown = { id: String(id), value: String(id) };
      const expected = `another id than row ${first}`;
      yield { rule: 'duplicate-id', column: data.id, row: Number(row), ...shown, expected };
    }
  }
}

/** The checks in the order of a report: id, label, features in model order. */
function cellChecks(data: DataSpec): readonly CellCheck[] {
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
        return { column: name, value, rule: featureRule(value, feature), expected };
      }),
    ),
    ...textChecks(data),
    ...groupChecks(data),
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

/**
 * Text first: a cast alone would round '1.5' to 2, and take ' 5 ' and '1_000' for numbers. Integers are compared as
 * integers, since 2⁵³ + 1 as a floating-point number is 2⁵³.
 */
function featureRule(value: string, feature: FeatureSpec): string {
  const typed = typedValue(value, feature);
  const [pattern, minimum, maximum] =
    feature.type === 'integer'
      ? [INTEGER, wholeBound(Math.ceil(feature.minimum)), wholeBound(Math.floor(feature.maximum))]
      : [NUMBER, `'${feature.minimum}'::DOUBLE`, `'${feature.maximum}'::DOUBLE`];
  // An integer that does not fit 64 bits is out of any range; text that does not fit a double is infinite.
  const unfit =
    feature.type === 'integer' ? `${typed} IS NULL THEN 'range'` : `NOT isfinite(${typed}) THEN 'not-finite'`;
  const listed = feature.values?.map((one) => `'${one}'::DOUBLE`).join(', ');
  const unlisted = listed ? `WHEN ${typed}::DOUBLE NOT IN (${listed}) THEN 'value'` : '';
  return (
    `CASE WHEN ${value} IS NULL THEN 'missing-value' WHEN NOT regexp_full_match(${value}, ${pattern}) THEN ` +
    `CASE WHEN regexp_full_match(lower(${value}), ${NOT_FINITE}) THEN 'not-finite' ELSE 'type' END ` +
    `WHEN ${unfit} WHEN ${typed} NOT BETWEEN ${minimum} AND ${maximum} THEN 'range' ${unlisted} END`
  );
}

/** SQL: a checked value as a number. */
export function typedValue(value: string, feature: FeatureSpec): string {
  return `TRY_CAST(${value} AS ${feature.type === 'integer' ? 'BIGINT' : 'DOUBLE'})`;
}

function wholeBound(bound: number): string {
  const [lowest, highest] = INT64;
  const exact = BigInt(bound);
  return `${exact < lowest ? lowest : exact > highest ? highest : exact}::HUGEINT`;
}
