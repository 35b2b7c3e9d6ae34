import type { JS } from '@duckdb/node-api';
import type { DataColumn } from '../columns.js';
import { type Database, literal } from '../database.js';

/** The bins of one column. */
export type Bins =
  /** One a value, and one for all others. */
  | {
      readonly raw: string;
      readonly kind: 'values';
      readonly values: readonly string[];
      readonly sql: string;
    }
  /** Up to each edge, and beyond the last. */
  | { readonly raw: string; readonly kind: 'edges'; readonly edges: readonly number[]; readonly sql: string };

/** A column with at most this many values has a bin for each. */
const MOST_VALUES = 50;
/** A text with more values than this is looked at by its length. */
const MOST_TEXTS = 200;

/** The bins of the reference: its values where they are few, or else its quantiles. @param quantiles - bins of a column of quantities */
export async function binsOf(
  database: Database,
  from: string,
  columns: readonly DataColumn[],
  quantiles: number,
): Promise<readonly Bins[]> {
  const parts = columns.map((column) => ({ column, raw: rawOf(column), textual: isTextual(column) }));
  const counts = parts.map(({ raw }, i) => `approx_count_distinct(${raw})::DOUBLE AS n${i}`);
  const [distinct] = await database.rows(`SELECT ${counts.join(', ')} FROM ${from}`);
  const queries = parts.map(({ raw, textual, column }, i) => {
    const few = Number(distinct![`n${i}`]) <= (textual ? MOST_TEXTS : MOST_VALUES);
    if (few) return { raw, few, sql: textual ? `${raw}::VARCHAR` : `${raw}::DOUBLE` };
    return { raw, few, sql: textual ? `length(${column.raw}::VARCHAR)::DOUBLE` : `${raw}::DOUBLE` };
  });
  const at = Array.from({ length: quantiles - 1 }, (_, i) => (i + 1) / quantiles).join(', ');
  const selected = queries.map(({ few, sql }, i) =>
    few
      ? `list_sort(list(DISTINCT ${sql}))::VARCHAR[] AS q${i}`
      : `list_sort(list_distinct(approx_quantile(${sql}, [${at}])))::VARCHAR[] AS q${i}`,
  );
  const [found] = await database.rows(`SELECT ${selected.join(', ')} FROM ${from}`);
  return queries.map(({ raw, few, sql }, i): Bins => {
    const texts = ((found![`q${i}`] as readonly JS[] | null) ?? []).filter((one) => one !== null).map(String);
    return few
      ? { raw, kind: 'values', values: texts, sql }
      : { raw, kind: 'edges', edges: texts.map(Number), sql };
  });
}

/** Rows in each bin of each column; the last bin but one is for all other values, the last for none. */
export async function countBins(
  database: Database,
  from: string,
  rows: number,
  columns: readonly Bins[],
): Promise<readonly (readonly number[])[]> {
  const histograms = columns.map((bins, i) => {
    const textual = bins.sql.endsWith('::VARCHAR');
    const list =
      bins.kind === 'edges'
        ? bins.edges.map((edge) => `'${edge}'::DOUBLE`)
        : bins.values.map((value) => (textual ? literal(value) : `'${value}'::DOUBLE`));
    const [name, type] = [
      bins.kind === 'edges' ? 'histogram' : 'histogram_exact',
      textual ? 'VARCHAR' : 'DOUBLE',
    ];
    const map = list.length === 0 ? 'NULL' : `${name}(${bins.sql}, [${list.join(', ')}]::${type}[])`;
    return `map_keys(${map})::VARCHAR[] AS k${i}, map_values(${map})::DOUBLE[] AS v${i}, count(${bins.sql})::DOUBLE AS n${i}`;
  });
  const [counted] = await database.rows(`SELECT ${histograms.join(', ')} FROM ${from}`);
  return columns.map((bins, i) => {
    const keys = ((counted![`k${i}`] as readonly JS[] | null) ?? []).map(String);
    const values = ((counted![`v${i}`] as readonly JS[] | null) ?? []).map(Number);
    const byKey = new Map(keys.map((key, at) => [bins.kind === 'edges' ? Number(key) : key, values[at]!]));
    const known = (bins.kind === 'edges' ? bins.edges : bins.values).map((key) => byKey.get(key) ?? 0);
    const present = Number(counted![`n${i}`]);
    return [...known, present - known.reduce((sum, count) => sum + count, 0), rows - present];
  });
}

function rawOf({ kind, raw, other }: DataColumn): string {
  return kind === 'label' ? 'class' : other?.type === 'timestamp' ? `epoch(${raw})` : raw;
}

function isTextual({ kind, other }: DataColumn): boolean {
  return kind === 'text' || other?.type === 'text' || other?.type === 'boolean';
}
