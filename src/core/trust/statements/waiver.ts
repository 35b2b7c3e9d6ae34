import { z } from 'zod';
import { digestSchema, nameSchema } from '../../spec/index.js';
import type { PredicateType } from './predicate.js';

const schema = z.strictObject({
  /** Where the model may go though the gate did not pass: nowhere else. */
  endpoint: nameSchema,
  /** Name of the gate. */
  gate: nameSchema,
  /** Envelope of the test result that is waived: this one, and no other run of the gate. */
  result: digestSchema,
  person: z.string().min(1),
  reason: z.string().min(1),
  /** The waiver counts for nothing afterwards. */
  expires: z.iso.datetime(),
  waivedAt: z.iso.datetime(),
});

/** Says of a model: a person who may takes it upon themselves that this gate did not pass. */
export const waiverPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/waiver/v1',
  role: 'waiver',
  schema,
};

export type Waiver = z.infer<typeof schema>;
