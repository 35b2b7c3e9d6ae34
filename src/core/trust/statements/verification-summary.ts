import { z } from 'zod';
import { digestSetSchema, type PredicateType } from './predicate.js';

const resource = z.strictObject({ uri: z.string().min(1), digest: digestSetSchema });

/** What a passed summary says of a model. SLSA keeps names that begin with SLSA_ to itself. */
export const gatesPassedLevel = 'ASSAY_GATES_PASSED';

/** What it says instead where a gate did not pass and a person waived it. */
export const gatesWaivedLevel = 'ASSAY_GATES_PASSED_OR_WAIVED';

const schema = z.strictObject({
  verifier: z.strictObject({ id: z.url() }),
  timeVerified: z.iso.datetime(),
  resourceUri: z.string().min(1),
  /** The gates of the run, as a blob of the store. */
  policy: resource,
  /** *All* statements that were looked at. */
  inputAttestations: z.array(resource),
  verificationResult: z.enum(['PASSED', 'FAILED']),
  verifiedLevels: z.array(z.string().regex(/^(?!SLSA_)/, 'expected no level that begins with SLSA_')),
});

/** Says of a model: a verifier looked at all these statements, and they hold together (SLSA VSA v1). */
export const verificationPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://slsa.dev/verification_summary/v1',
  role: 'verification',
  schema,
};
