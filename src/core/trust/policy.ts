import { z } from 'zod';
import { gatesSchema, nameSchema } from '../spec/index.js';

export const statementRoles = [
  'data',
  'model',
  'provenance',
  'test',
  'verification',
  'approval',
  'release',
] as const;
/** What a key may vouch for. */
export type StatementRole = (typeof statementRoles)[number];

/** `trust.yaml`: whom a verifier believes, about what. Verifiers hold it; it never comes from the store. */
export const trustPolicySchema = z.strictObject({
  version: z.literal(1),
  keys: z
    .array(
      z.strictObject({
        /** SHA-256 of the PEM text, hex: the hint in every bundle. */
        id: z.string().regex(/^[0-9a-f]{64}$/),
        /** SubjectPublicKeyInfo, PEM. */
        publicKey: z.string(),
        /** Which statements this key may sign. */
        roles: z.array(z.enum(statementRoles)).min(1),
        /** Which endpoints it may speak for; all when absent. */
        endpoints: z.array(nameSchema).optional(),
      }),
    )
    .min(1),
  /** Per endpoint: the gates a model must have passed, at least this strictly. */
  endpoints: z
    .record(nameSchema, z.strictObject({ gates: gatesSchema.optional(), approval: z.boolean().optional() }))
    .default({}),
});

export type TrustPolicy = z.infer<typeof trustPolicySchema>;
