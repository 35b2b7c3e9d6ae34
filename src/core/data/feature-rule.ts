import type { FeatureSpec } from '../spec/index.js';
import { typedValue } from './columns.js';

export const INTEGER_FORM = "'-?[0-9]+(\\.0+)?'";
export const NUMBER_FORM = "'[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?'";
const NOT_FINITE = "'[+-]?(nan|inf|infinity)'";
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;

/**
 * Text first: a cast alone would round '1.5' to 2, and take ' 5 ' and '1_000' for numbers. Integers are compared as
 * integers, since 2⁵³ + 1 as a floating-point number is 2⁵³.
 */
export function featureRule(value: string, feature: FeatureSpec): string {
  const typed = typedValue(value, feature);
  const [pattern, minimum, maximum] =
    feature.type === 'integer'
      ? [INTEGER_FORM, wholeBound(Math.ceil(feature.minimum)), wholeBound(Math.floor(feature.maximum))]
      : [NUMBER_FORM, `'${feature.minimum}'::DOUBLE`, `'${feature.maximum}'::DOUBLE`];
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

/** {@link featureRule} for a column that the source keeps as 64-bit numbers. */
export function nativeRule(value: string, feature: FeatureSpec): string {
  const typed = typedValue(value, feature);
  const [minimum, maximum] =
    feature.type === 'integer'
      ? [wholeBound(Math.ceil(feature.minimum)), wholeBound(Math.floor(feature.maximum))]
      : [`'${feature.minimum}'::DOUBLE`, `'${feature.maximum}'::DOUBLE`];
  const whole = feature.type === 'integer' ? `WHEN ${value} <> trunc(${value}) THEN 'type'` : '';
  const listed = feature.values?.map((one) => `'${one}'::DOUBLE`).join(', ');
  const unlisted = listed ? `WHEN ${value}::DOUBLE NOT IN (${listed}) THEN 'value'` : '';
  return (
    `CASE WHEN ${value} IS NULL THEN 'missing-value' WHEN NOT isfinite(${value}::DOUBLE) THEN 'not-finite' ${whole} ` +
    `WHEN ${typed} IS NULL OR ${typed} NOT BETWEEN ${minimum} AND ${maximum} THEN 'range' ${unlisted} END`
  );
}

function wholeBound(bound: number): string {
  const [lowest, highest] = INT64;
  const exact = BigInt(bound);
  return `${exact < lowest ? lowest : exact > highest ? highest : exact}::HUGEINT`;
}
