import { z } from 'zod';
import { bucketColumns, type DataSpec, digestSchema, textFeaturesSchema } from '../spec/index.js';

const counts = z.strictObject({ train: z.int(), validation: z.int(), test: z.int() });

const inputFeatureSchema = z.strictObject({
  column: z.string(),
  type: z.enum(['integer', 'number']),
  minimum: z.number(),
  maximum: z.number(),
  scale: z.enum(['none', 'unit']),
  /** The only values there are, ascending. */
  values: z.array(z.number()).optional(),
  /** Features with the same number are one group, of which exactly one is 1. */
  oneHot: z.int().min(0).optional(),
  /** An adversary cannot change it. */
  mutable: z.literal(false).optional(),
});

/** What the data block says of one model input value. */
export type InputFeature = z.infer<typeof inputFeatureSchema>;

/** One entry a model input value, in model order. */
export function inputFeatures(data: DataSpec): readonly InputFeature[] {
  if (data.text) {
    return bucketColumns(data.text).map((column) => ({
      column,
      type: 'number',
      minimum: 0,
      maximum: 1,
      scale: 'none',
    }));
  }
  return data.features.flatMap(({ columns, oneHot, ...feature }, group) =>
    columns.map((column) => ({ column, ...feature, ...(oneHot && { oneHot: group }) })),
  );
}

/** `snapshot.json`: how to read the Parquet files beside it, and what they hold. */
export const snapshotManifestSchema = z.strictObject({
  version: z.literal(1),
  source: digestSchema,
  id: z.string(),
  label: z.strictObject({ column: z.string(), classes: z.array(z.union([z.string(), z.int()])) }),
  /** One entry a model input value, in model order. Parquet keeps raw values; `scale` is applied when reading. */
  features: z.array(inputFeatureSchema),
  /** Where it is given, the features are made of this column, which Parquet keeps as text. */
  text: textFeaturesSchema.optional(),
  shape: z.array(z.int()),
  /** Columns beside id, label and features, behind them in the Parquet files. */
  others: z
    .array(
      z.strictObject({
        column: z.string(),
        type: z.enum(['text', 'integer', 'number', 'boolean', 'timestamp']),
      }),
    )
    .optional(),
  rows: counts,
  /** Rows of each class in each split, by class index. */
  classRows: z.strictObject({
    train: z.array(z.int()),
    validation: z.array(z.int()),
    test: z.array(z.int()),
  }),
  /** Over all rows, by feature column; of a text there are none. */
  statistics: z.record(
    z.string(),
    z.strictObject({ minimum: z.number(), maximum: z.number(), mean: z.number(), deviation: z.number() }),
  ),
});

export type SnapshotManifest = z.infer<typeof snapshotManifestSchema>;
