import { RefusedError } from '../errors/index.js';
import { type DataSpec, personalData, type TransformSpec, textHazards } from '../spec/index.js';
import { type DataColumn, dataColumns } from './columns.js';
import { type Database, literal } from './database.js';
import { type RowExpression, readExpression, withTypedColumns } from './expression.js';
import { NUMBER_FORM } from './feature-rule.js';
import { requirePattern } from './pattern.js';
import type { StagedSource } from './staging.js';

/** What one transform did. */
export interface TransformCount {
  readonly transform: TransformSpec;
  /** Values that it changed. */
  readonly values: number;
  /** Rows that it changed, or left out. */
  readonly rows: number;
}

/** Spaces of all scripts, and line ends. */
const MARGIN = literal('^[\\s\\p{Z}]+|[\\s\\p{Z}]+$');

/**
 * Changes the table `raw` as the data block says, in that order, and counts what changed. Each transform is a function of one row, so
 * the outcome depends neither on the order of rows nor on how often a run is repeated.
 *
 * @throws RefusedError `spec-invalid`
 */
export async function sanitise(
  database: Database,
  data: DataSpec,
  staged: StagedSource,
): Promise<readonly TransformCount[]> {
  const transforms = data.sanitise ?? [];
  if (transforms.length === 0) return [];
  const columns = new Map(dataColumns(data).map((column) => [column.name, column]));
  let from = 'raw';
  for (const [k, transform] of transforms.entries()) {
    if (transform.transform === 'drop') {
      const expression = await readExpression(database, data, transform.when);
      const typed = typedNames(expression);
      const read = withTypedColumns(from, [expression]);
      const exclude = typed.length > 0 ? ` EXCLUDE (${typed.join(', ')})` : '';
      from = `(SELECT *${exclude}, (TRY(${expression.sql}) IS TRUE)::INTEGER AS changed_${k} FROM ${read})`;
      continue;
    }
    const changes = transform.columns
      .filter((name) => staged.columns.has(name))
      .map((name) => changeOf(transform, columns.get(name)!, staged.types?.get(name)))
      .filter((change) => change !== undefined);
    for (const { patterns = [] } of changes) for (const one of patterns) await requirePattern(database, one);
    const changed = changes.map(({ raw, sql }) => `(${raw} IS DISTINCT FROM ${sql})::INTEGER`);
    const replaced = changes.map(({ raw, sql }) => `${sql} AS ${raw}`);
    const replace = replaced.length > 0 ? ` REPLACE (${replaced.join(', ')})` : '';
    from = `(SELECT *${replace}, ${['0', ...changed].join(' + ')} AS changed_${k} FROM ${from})`;
  }
  await database.run(`CREATE TABLE sanitised AS SELECT * FROM ${from}`);
  await database.run(`DROP ${staged.types ? 'VIEW' : 'TABLE'} raw`);
  const drops = transforms.flatMap(({ transform }, k) => (transform === 'drop' ? [k] : []));
  const kept = (before: number) =>
    drops
      .filter((k) => k < before)
      .map((k) => `changed_${k} = 0`)
      .join(' AND ') || 'true';
  const counts = transforms.map(
    (_, k) =>
      `sum(changed_${k}) FILTER (${kept(k)})::DOUBLE AS v${k}, count(*) FILTER (changed_${k} > 0 AND ${kept(k)})::DOUBLE AS r${k}`,
  );
  const [counted] = await database.rows(`SELECT ${counts.join(', ')} FROM sanitised`);
  const helpers = transforms.map((_, k) => `changed_${k}`).join(', ');
  await database.run(
    `CREATE VIEW raw AS SELECT * EXCLUDE (${helpers}) FROM sanitised WHERE ${kept(transforms.length)}`,
  );
  return transforms.map((transform, k) => ({
    transform,
    values: transform.transform === 'drop' ? 0 : Number(counted![`v${k}`] ?? 0),
    rows: Number(counted![`r${k}`]),
  }));
}

interface Change {
  readonly raw: string;
  /** SQL of the new value. */
  readonly sql: string;
  /** Patterns of the user that it uses. */
  readonly patterns?: readonly string[];
}

/** @returns undefined where a column has nothing that the transform could change */
function changeOf(
  transform: Exclude<TransformSpec, { transform: 'drop' }>,
  { raw, kind, other, name }: DataColumn,
  native: string | undefined,
): Change | undefined {
  if (transform.transform === 'clip') {
    if (kind !== 'feature' && other?.type !== 'integer' && other?.type !== 'number')
      throw misplaced('clip', 'columns of numbers', name);
    return { raw, sql: clipped(raw, native, transform) };
  }
  // Numbers have no white space to trim.
  if (native !== undefined) return undefined;
  const unlessEmpty = (sql: string): Change => ({ raw, sql: `nullif(${sql}, '')` });
  if (transform.transform === 'trim') return unlessEmpty(`regexp_replace(${raw}, ${MARGIN}, '', 'g')`);
  if (kind !== 'text' && other?.type !== 'text' && kind !== 'id' && kind !== 'label')
    throw misplaced(transform.transform, 'columns of text', name);
  switch (transform.transform) {
    case 'unicode':
      return { raw, sql: `nfc_normalize(${raw})` };
    case 'strip': {
      const hidden = transform.characters.map((name) => textHazards[name]).join('|');
      return unlessEmpty(`regexp_replace(${raw}, ${literal(hidden)}, '', 'g')`);
    }
    case 'redact': {
      const { kinds = Object.keys(personalData) as (keyof typeof personalData)[], pattern } = transform;
      let sql = raw;
      for (const one of kinds) sql = `regexp_replace(${sql}, ${literal(personalData[one])}, '[${one}]', 'g')`;
      if (pattern === undefined) return { raw, sql };
      return {
        raw,
        sql: `regexp_replace(${sql}, ${literal(pattern)}, '[redacted]', 'g')`,
        patterns: [pattern],
      };
    }
  }
}

/** Only what is a number is moved: a word beyond every range is no large number. */
function clipped(
  raw: string,
  native: string | undefined,
  { minimum, maximum }: { readonly minimum?: number | undefined; readonly maximum?: number | undefined },
): string {
  const type = native ?? 'VARCHAR';
  const isNumber = native === undefined ? `regexp_full_match(${raw}, ${NUMBER_FORM}) AND ` : '';
  const value = `TRY_CAST(${raw} AS DOUBLE)`;
  const bound = (limit: number) => `'${limit}'::${type}`;
  const low =
    minimum === undefined ? '' : `WHEN ${isNumber}${value} < '${minimum}'::DOUBLE THEN ${bound(minimum)} `;
  const high =
    maximum === undefined
      ? ''
      : `WHEN ${isNumber}isfinite(${value}) AND ${value} > '${maximum}'::DOUBLE THEN ${bound(maximum)} `;
  return `CASE ${low}${high}ELSE ${raw} END`;
}

function typedNames({ columns }: RowExpression): readonly string[] {
  return columns.map(({ raw }) => `t_${raw}`);
}

function misplaced(transform: string, expected: string, name: string): RefusedError {
  return new RefusedError('spec-invalid', `data.sanitise: expected ${expected} to ${transform}, got ${name}`);
}
