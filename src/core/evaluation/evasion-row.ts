import { z } from 'zod';
import { cleanRowSchema } from './accuracy-gate.js';

/** Rounding takes a cosine past 1 by a little. */
const cosineSchema = z.number().min(-1.000001).max(1.000001);

/** What one attack did to one sample. */
const outcomeSchema = z.strictObject({
  /** Whether the attack says that it broke the sample, on the gradient graph. */
  claimed: z.boolean(),
  /** Whether it did: inside the threat model, and misclassified alone in the serving session. */
  broken: z.boolean(),
  /** L∞ distance between the sample and what the attack made of it. */
  linf: z.number().min(0),
  /** What the serving session predicts for what the attack made; −1 where its logits are not finite. */
  prediction: z.int().min(-1),
});

/** A line of the evasion gate's evidence. */
export const evasionRowSchema = cleanRowSchema
  .safeExtend({
    /** Null where nothing was attacked: the sample is wrong as it is, or the model has no gradients. */
    attacks: z.strictObject({ fgsm: outcomeSchema, pgd: outcomeSchema }).nullable(),
    /** Control: whether PGD without a radius broke this survivor, re-checked; null where it was not tried. */
    unbounded: z.boolean().nullable(),
    /** Control: the gradient against finite differences; null where it was not tried. */
    gradient: z
      .strictObject({
        /** Over short steps; null where either side is zero. */
        cosine: cosineSchema.nullable(),
        /** Over steps of the ball's radius. */
        ballCosine: cosineSchema.nullable(),
      })
      .nullable(),
    /** Control: largest difference between the logits of the gradient graph and of the serving session; null as above. */
    logitsDifference: z.number().min(0).nullable(),
  })
  .refine(
    ({ label, attacks }) =>
      attacks === null ||
      Object.values(attacks).every(({ broken, prediction }) => !broken || prediction !== label),
    { path: ['attacks'], message: 'expected broken samples to be misclassified' },
  );

export type EvasionRow = z.infer<typeof evasionRowSchema>;
export type AttackOutcome = z.infer<typeof outcomeSchema>;

/** Robust: right as it is, and not broken by any attack. */
export function isRobust(row: EvasionRow): boolean {
  return row.correct && !(row.attacks?.fgsm.broken || row.attacks?.pgd.broken);
}
