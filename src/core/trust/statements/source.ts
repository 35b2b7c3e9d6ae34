import { z } from 'zod';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  /** Who made the data, or hands it on. */
  supplier: z.string().min(1),
  /** What it is called there. */
  name: z.string().min(1),
  /** SPDX expression. */
  license: z.string().min(1).optional(),
  /** Where it came from, in words or as a URL. */
  origin: z.string().min(1).optional(),
  attestedAt: z.iso.datetime(),
});

/** Says of a source: its supplier stands for these bytes. */
export const sourcePredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/source/v1',
  role: 'source',
  schema,
};

export type SourceDescription = z.infer<typeof schema>;
