import { z } from 'zod';
import { digestSchema } from '../../spec/index.js';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  /** Of the policy that the statement is about. */
  revision: z.int().min(2),
  /** Canonical text of the policy that it replaces. */
  replaces: digestSchema,
  signedAt: z.iso.datetime(),
});

/** Says of a trust policy: it is to replace that one. */
export const trustPolicyPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/trust-policy/v1',
  role: 'policy',
  schema,
};
