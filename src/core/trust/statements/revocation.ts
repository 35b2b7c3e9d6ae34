import { z } from 'zod';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  person: z.string().min(1),
  reason: z.string().min(1),
  revokedAt: z.iso.datetime(),
});

/** Says of data, a source or a snapshot: nothing that came of it is to be believed any more. */
export const revocationPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/revocation/v1',
  role: 'revocation',
  schema,
};

export type Revocation = z.infer<typeof schema>;
