import type { DataSpec, FeatureSpec, OtherColumnSpec } from '../spec/index.js';

/** A column of the source, as the table `raw` and SQL over it know it. */
export interface DataColumn {
  /** In the source. */
  readonly name: string;
  /** In `raw`: `id`, `label`, `f0`, …, `o0`, … */
  readonly raw: string;
  readonly kind: 'id' | 'label' | 'feature' | 'text' | 'other';
  /** SQL over `raw`: the value in its own type, or NULL where it is none. */
  readonly typed: string;
  readonly other?: OtherColumnSpec;
}

/** All columns of a data block: id, label, features in model order or the text that they are made of, others. */
export function dataColumns(data: DataSpec): readonly DataColumn[] {
  let index = 0;
  return [
    { name: data.id, raw: 'id', kind: 'id', typed: 'id' },
    { name: data.label.column, raw: 'label', kind: 'label', typed: 'label' },
    ...data.features.flatMap((feature) =>
      feature.columns.map((name): DataColumn => {
        const raw = `f${index++}`;
        return { name, raw, kind: 'feature', typed: typedValue(raw, feature) };
      }),
    ),
    ...(data.text ? [{ name: data.text.column, raw: 'f0', kind: 'text', typed: 'f0' } as const] : []),
    ...(data.columns ?? []).map((other, i): DataColumn => {
      const raw = `o${i}`;
      return { name: other.name, raw, kind: 'other', typed: typedOther(raw, other), other };
    }),
  ];
}

/** Columns of the source that the model's input is made of: features in model order, or the text. */
export function featureColumns(data: DataSpec): readonly string[] {
  return data.text ? [data.text.column] : data.features.flatMap((feature) => feature.columns);
}

/** SQL: a checked value as a number. */
export function typedValue(value: string, feature: FeatureSpec): string {
  return `TRY_CAST(${value} AS ${feature.type === 'integer' ? 'BIGINT' : 'DOUBLE'})`;
}

/** SQL type of a column beside the features. */
export const otherTypes = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
} as const;

export function typedOther(value: string, { type }: OtherColumnSpec): string {
  return type === 'text' ? value : `TRY_CAST(${value} AS ${otherTypes[type]})`;
}
