import { z } from 'zod';
import { digestSchema, nameSchema } from '../../spec/index.js';

export const decisions = [
  'proposed',
  'approved',
  'rejected',
  'waived',
  'released',
  'rolled-back',
  'revoked',
  'requested',
  'frozen',
  'unfrozen',
  /** Somebody asked for what they may not. */
  'refused',
  /** A signer takes over a log whose last signer is no longer believed. */
  'taken-over',
] as const;

/** One decision: who, what, about what, why, when. The log keeps its canonical JSON. */
export const auditEntrySchema = z.strictObject({
  version: z.literal(1),
  decision: z.enum(decisions),
  endpoint: nameSchema.optional(),
  revision: z.int().min(1).optional(),
  /** What it is about: a model, or whatever was revoked. */
  subject: digestSchema.optional(),
  /** The signed statement that says so, where there is one. */
  statement: digestSchema.optional(),
  by: z.string(),
  reason: z.string(),
  at: z.iso.datetime(),
});

export type AuditEntry = Readonly<z.infer<typeof auditEntrySchema>>;
