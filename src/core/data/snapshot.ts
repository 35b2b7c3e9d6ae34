import { z } from 'zod';
import { digestSchema } from '../spec/index.js';

const counts = z.strictObject({ train: z.int(), validation: z.int(), test: z.int() });

/** `snapshot.json`: how to read the Parquet files beside it, and what they hold. */
export const snapshotManifestSchema = z.strictObject({
  version: z.literal(1),
  source: digestSchema,
  id: z.string(),
  label: z.strictObject({ column: z.string(), classes: z.array(z.union([z.string(), z.int()])) }),
  /** One entry a model input value, in model order. Parquet keeps raw values; `scale` is applied when reading. */
  features: z.array(
    z.strictObject({
      column: z.string(),
      type: z.enum(['integer', 'number']),
      minimum: z.number(),
      maximum: z.number(),
      scale: z.enum(['none', 'unit']),
    }),
  ),
  shape: z.array(z.int()),
  rows: counts,
  /** Rows of each class in each split, by class index. */
  classRows: z.strictObject({
    train: z.array(z.int()),
    validation: z.array(z.int()),
    test: z.array(z.int()),
  }),
  /** Over all rows, by feature column. */
  statistics: z.record(
    z.string(),
    z.strictObject({ minimum: z.number(), maximum: z.number(), mean: z.number(), deviation: z.number() }),
  ),
});

export type SnapshotManifest = z.infer<typeof snapshotManifestSchema>;
