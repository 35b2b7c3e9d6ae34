import { z } from 'zod';
import { digestSchema, nameSchema } from '../../spec/index.js';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  /** Who decided. */
  person: z.string().min(1),
  reason: z.string(),
  /** Where the model may go: a yes for one endpoint is none for another. */
  endpoint: nameSchema,
  /** Envelope of the verification summary that the person saw. */
  verification: digestSchema,
  decidedAt: z.iso.datetime(),
});

/** Says of a model: a person looked at its verification and decided. */
export const approvalPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/approval/v1',
  role: 'approval',
  schema,
};

export type Approval = z.infer<typeof schema>;
