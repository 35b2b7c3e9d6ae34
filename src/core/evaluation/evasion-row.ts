import { z } from 'zod';
import type { AttackName } from '../attacks/index.js';
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

/** The suite, in the order in which it is run. The gradient attacks come first: they are what a black box is held against. */
export const suite = [
  'fgsm',
  'pgd',
  'apgd-ce',
  'apgd-dlr',
  'square',
] as const satisfies readonly AttackName[];

/**
 * Attacks that spare what these others broke; FGSM and PGD are run on all that is right as it is. Auto-PGD also attacks
 * what one step broke, to see whether many steps do what one step does.
 */
export const spares = {
  'apgd-ce': ['pgd'],
  'apgd-dlr': ['pgd', 'apgd-ce'],
  square: ['fgsm', 'pgd', 'apgd-ce', 'apgd-dlr'],
} as const satisfies Partial<Record<AttackName, readonly AttackName[]>>;

export const sparingAttacks = ['apgd-ce', 'apgd-dlr', 'square'] as const;

const attacksSchema = z.strictObject({
  fgsm: outcomeSchema,
  pgd: outcomeSchema,
  'apgd-ce': outcomeSchema.nullable(),
  'apgd-dlr': outcomeSchema.nullable(),
  square: outcomeSchema.nullable(),
});

/** A line of the evasion gate's evidence. */
export const evasionRowSchema = cleanRowSchema
  .safeExtend({
    /** Null where nothing was attacked: the sample is wrong as it is, or the model has no gradients. */
    attacks: attacksSchema.nullable(),
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
      Object.values(attacks).every((outcome) => !outcome?.broken || outcome.prediction !== label),
    { path: ['attacks'], message: 'expected broken samples to be misclassified' },
  )
  .refine(
    ({ attacks }) =>
      attacks === null ||
      sparingAttacks.every((name) => (attacks[name] === null) === isBrokenBy(spares[name], attacks)),
    { path: ['attacks'], message: 'expected each later attack on every survivor, and on nothing else' },
  );

export type EvasionRow = z.infer<typeof evasionRowSchema>;
export type AttackOutcome = z.infer<typeof outcomeSchema>;

/** What the attacks of the suite did to one sample. */
export type AttackOutcomes = z.infer<typeof attacksSchema>;

/** Whether any of these attacks broke the sample. */
export function isBrokenBy(names: readonly AttackName[], attacks: AttackOutcomes | null): boolean {
  return names.some((name) => attacks?.[name]?.broken);
}

/** Robust: right as it is, and not broken by any attack. */
export function isRobust({ correct, attacks }: EvasionRow): boolean {
  return correct && !isBrokenBy(suite, attacks);
}
