import { z } from 'zod';
import { dataAccountSchema, dataSchema, digestSchema } from '../../spec/index.js';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  /** The bytes that were read. */
  source: digestSchema,
  rows: z.strictObject({ train: z.int(), validation: z.int(), test: z.int() }),
  /** Every allowed label, by class index. */
  classes: z.array(z.union([z.string(), z.int()])),
  /** What every row was checked against; a row that failed is not in the snapshot. */
  checks: dataSchema,
  /** What was changed, judged and set aside on the way. */
  account: dataAccountSchema.optional(),
  attestedAt: z.iso.datetime(),
});

/** Says of a snapshot: these rows came from that source and passed these checks. */
export const dataPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/data/v1',
  role: 'data',
  schema,
};
