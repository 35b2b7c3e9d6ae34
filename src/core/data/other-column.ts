import { type OtherColumnSpec, textHazards } from '../spec/index.js';
import { typedOther } from './columns.js';
import { literal } from './database.js';
import { INTEGER_FORM, NUMBER_FORM } from './feature-rule.js';

const BOOLEAN = "'true|false|0|1'";
export const TIMESTAMP_FORM =
  "'[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?'";
const forms = {
  integer: INTEGER_FORM,
  number: NUMBER_FORM,
  boolean: BOOLEAN,
  timestamp: TIMESTAMP_FORM,
} as const;

/**
 * SQL: the rule that a value of a column beside the features breaks first, or NULL.
 *
 * @param foreign - the table of the values that it may have
 * @param native - the source keeps it in its own type: there is no text to look at
 */
export function otherRule(
  value: string,
  column: OtherColumnSpec,
  { foreign, native }: { readonly foreign: string | undefined; readonly native: boolean },
): string {
  const typed = typedOther(value, column);
  const cases: string[] = [
    column.nulls === 0 ? `${value} IS NULL THEN 'missing-value'` : `${value} IS NULL THEN NULL`,
  ];
  const when = (condition: string | undefined, rule: string): void => {
    if (condition !== undefined) cases.push(`${condition} THEN '${rule}'`);
  };
  if (native)
    when(column.type === 'integer' ? `${value} <> trunc(${value}) OR ${typed} IS NULL` : undefined, 'type');
  else if (column.type !== 'text') {
    when(
      `NOT regexp_full_match(lower(${value}::VARCHAR), lower(${forms[column.type]})) OR ${typed} IS NULL`,
      'type',
    );
  }
  if (column.type === 'number') when(`NOT isfinite(${typed})`, 'not-finite');
  if (column.minimum !== undefined) when(`${typed} < '${column.minimum}'::DOUBLE`, 'range');
  if (column.maximum !== undefined) when(`${typed} > '${column.maximum}'::DOUBLE`, 'range');
  if (column.after !== undefined) when(`${typed} < ${literal(column.after)}::TIMESTAMP`, 'range');
  if (column.before !== undefined) when(`${typed} >= ${literal(column.before)}::TIMESTAMP`, 'range');
  if (column.type === 'text') {
    const refused = Object.entries(textHazards)
      .filter(([name]) => !(column.allow as readonly string[] | undefined)?.includes(name))
      .map(([, pattern]) => pattern);
    if (refused.length > 0) when(`regexp_matches(${value}, ${literal(refused.join('|'))})`, 'characters');
    if (column.length) {
      when(`length(${value}) NOT BETWEEN ${column.length.minimum} AND ${column.length.maximum}`, 'length');
    }
  }
  if (column.pattern !== undefined)
    when(`NOT regexp_full_match(${value}, ${literal(column.pattern)})`, 'pattern');
  if (column.values) {
    const numeric = column.type === 'integer' || column.type === 'number';
    const listed = column.values.map((one) => (numeric ? `'${Number(one)}'::DOUBLE` : literal(String(one))));
    when(`${numeric ? typed : value} NOT IN (${listed.join(', ')})`, 'value');
  }
  if (foreign !== undefined) when(`(${typed})::VARCHAR NOT IN (SELECT v FROM ${foreign})`, 'foreign-value');
  return `CASE ${cases.map((one) => `WHEN ${one}`).join(' ')} END`;
}

/** What is said of a value that breaks a rule of its column. */
export function otherExpectation(column: OtherColumnSpec): string {
  const { type, minimum, maximum, after, before, pattern, length, values, valuesOf } = column;
  const parts = [
    minimum !== undefined && `at least ${minimum}`,
    maximum !== undefined && `at most ${maximum}`,
    after !== undefined && `from ${after}`,
    before !== undefined && `before ${before}`,
    length && `${length.minimum} to ${length.maximum} characters long`,
    pattern !== undefined && `of the form ${pattern}`,
    values && `one of ${values.slice(0, 20).join(', ')}${values.length > 20 ? ', …' : ''}`,
    valuesOf && `one of column ${valuesOf.column} of ${valuesOf.source}`,
    type === 'text' && 'without hidden or garbled characters',
  ].filter((part) => typeof part === 'string');
  const noun = {
    integer: 'an integer',
    number: 'a number',
    boolean: 'true or false',
    timestamp: 'a time',
    text: 'a text',
  };
  return [noun[type], ...parts].join(', ');
}
