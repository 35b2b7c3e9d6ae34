import { z } from 'zod';
import { digestSchema } from '../../spec/index.js';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  /** The bytes that the rows are in. */
  source: digestSchema,
  /** Digests of rows, as the quarantine set lists them. */
  rows: z.array(digestSchema).min(1),
  person: z.string().min(1),
  reason: z.string().min(1),
  decidedAt: z.iso.datetime(),
});

/** Says of a quarantine set: a person lets these rows of it in, though they break a rule. */
export const rowReleasePredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/row-release/v1',
  role: 'waiver',
  schema,
};

export type RowReleaseDecision = z.infer<typeof schema>;
