import { RefusedError } from '../errors/index.js';
import type { DataSpec } from '../spec/index.js';
import { type DataColumn, dataColumns } from './columns.js';
import { type Database, literal } from './database.js';

/** An expression that was looked through: it reads columns of one row, and nothing else. */
export interface RowExpression {
  /** SQL over {@link withTypedColumns}. */
  readonly sql: string;
  readonly columns: readonly DataColumn[];
}

/** What an expression may be made of. Queries, windows, lambdas, parameters and stars are none of these. */
const nodes = new Set([
  'COLUMN_REF',
  'CONSTANT',
  'COMPARISON',
  'CONJUNCTION',
  'BETWEEN',
  'CASE',
  'CAST',
  'OPERATOR',
  'FUNCTION',
]);

/** Functions of their arguments alone, none of which makes long texts or lists of short ones. */
const functions = new Set(
  (
    '+ - * / // % ^ ** || ~~ !~~ ~~* !~~* ~~~ abs ceil ceiling floor round trunc sign sqrt cbrt ln log log2 log10 exp pow power ' +
    'mod greatest least isnan isinf isfinite length strlen lower upper trim ltrim rtrim substring substr left right prefix ' +
    'suffix starts_with ends_with contains strpos instr position replace concat regexp_matches regexp_full_match nullif ifnull ' +
    'date_diff datediff date_part date_trunc year month day hour minute second dayofweek epoch to_years to_months to_days ' +
    'to_hours to_minutes to_seconds list_value list_contains list_position'
  ).split(' '),
);

/**
 * Reads a user's SQL expression without running it: DuckDB parses it, and its syntax tree may hold nothing but what is listed here.
 * So it reads no file, no setting and no clock, whatever the database would let it do; and the database lets it do nothing
 * either, see `openDatabase`.
 *
 * @throws RefusedError `spec-invalid`
 */
export async function readExpression(
  database: Database,
  data: DataSpec,
  text: string,
): Promise<RowExpression> {
  const invalid = (reason: string): RefusedError =>
    new RefusedError(
      'spec-invalid',
      `expected an SQL expression over the columns of a row, got ${reason}: ${text}`,
    );
  if (text.includes('\0')) throw invalid('a NUL');
  const [parsed] = await database.rows(`SELECT json_serialize_sql(${literal(`SELECT ${text}`)}) AS tree`);
  const tree = String(parsed!.tree);
  const { error, error_message, statements } = JSON.parse(tree) as ParsedSql;
  if (error) throw invalid(String(error_message));
  const [statement] = statements ?? [];
  const {
    type,
    select_list,
    from_table,
    where_clause,
    group_expressions,
    having,
    qualify,
    sample,
    modifiers,
    cte_map,
  } = statement?.node ?? {};
  const plain =
    statements?.length === 1 &&
    String(type) === 'SELECT_NODE' &&
    select_list?.length === 1 &&
    from_table?.type === 'EMPTY' &&
    [where_clause, having, qualify, sample].every((part) => part === null) &&
    [group_expressions, modifiers, cte_map?.map].every((part) => part?.length === 0);
  if (!plain) throw invalid('a query');

  const byName = new Map(dataColumns(data).map((column) => [column.name.toLowerCase(), column]));
  const used = new Map<string, DataColumn>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const part of node) visit(part);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const part = node as SqlNode;
    if (part.class !== undefined) {
      if (!nodes.has(part.class)) throw invalid(`a part of the kind ${part.class}`);
      if (part.alias) throw invalid(`a name for a part, ${part.alias}`);
      if (part.class === 'FUNCTION') requireFunction(part, invalid);
      if (part.class === 'COLUMN_REF') {
        const [name = '', ...more] = part.column_names ?? [];
        const column = more.length === 0 ? byName.get(name.toLowerCase()) : undefined;
        if (!column)
          throw invalid(`the unknown column ${JSON.stringify((part.column_names ?? []).join('.'))}`);
        used.set(column.raw, column);
      }
    }
    // A value is what it is: nothing inside it is looked up or run.
    for (const [key, child] of Object.entries(part)) if (key !== 'value' && key !== 'cast_type') visit(child);
  };
  visit(select_list);

  // In the text of the tree, quotes inside values are escaped, so that this finds columns and nothing else.
  const renamed = tree.replace(/"column_names":\[("[^"\\]*(?:\\.[^"\\]*)*")\]/g, (_, name: string) => {
    const column = byName.get((JSON.parse(name) as string).toLowerCase());
    return `"column_names":["t_${column!.raw}"]`;
  });
  const [rendered] = await database.rows(`SELECT json_deserialize_sql(${literal(renamed)}) AS sql`);
  const sql = `(${String(rendered!.sql).replace(/^SELECT /, '')})`;
  const expression = { sql, columns: [...used.values()] };
  await requireBoolean(database, expression, invalid);
  return expression;
}

/** SQL: a table like `raw` with the typed values that expressions read beside it. */
export function withTypedColumns(from: string, expressions: readonly RowExpression[]): string {
  const used = new Map(expressions.flatMap(({ columns }) => columns.map((column) => [column.raw, column])));
  const typed = [...used.values()].map(({ raw, typed }) => `${typed} AS t_${raw}`);
  return typed.length === 0 ? from : `(SELECT *, ${typed.join(', ')} FROM ${from})`;
}

interface ParsedSql {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements?: readonly { readonly node: Partial<Record<string, SqlNode & readonly unknown[]>> }[];
}

interface SqlNode {
  readonly class?: string;
  readonly type?: string;
  readonly alias?: string;
  readonly column_names?: readonly string[];
  readonly function_name?: string;
  readonly schema?: string;
  readonly catalog?: string;
  readonly filter?: unknown;
  readonly distinct?: boolean;
  readonly order_bys?: { readonly orders?: readonly unknown[] };
  readonly map?: readonly unknown[];
}

function requireFunction(part: SqlNode, invalid: (reason: string) => RefusedError): void {
  const { function_name = '', schema, catalog, filter, distinct, order_bys } = part;
  const ofAGroup = filter !== null || distinct || (order_bys?.orders?.length ?? 0) > 0;
  if (!functions.has(function_name) || ![undefined, '', 'main'].includes(schema) || catalog || ofAGroup)
    throw invalid(`the function ${function_name}, which rules may not use`);
}

/** Binds the expression, still without a row to run it on. */
async function requireBoolean(
  database: Database,
  { sql, columns }: RowExpression,
  invalid: (reason: string) => RefusedError,
): Promise<void> {
  const nulls = columns.map(({ raw }) => `NULL::VARCHAR AS ${raw}`).join(', ');
  let type: unknown;
  try {
    const from = withTypedColumns(`(SELECT ${nulls === '' ? '1' : nulls})`, [{ sql, columns }]);
    const [described] = await database.rows(`DESCRIBE SELECT TRY(${sql}) AS holds FROM ${from}`);
    type = described?.column_type;
  } catch (error) {
    throw invalid((error as Error).message.split('\n')[0]!);
  }
  if (type !== 'BOOLEAN') throw invalid(`a value of type ${type}, not true or false`);
}
