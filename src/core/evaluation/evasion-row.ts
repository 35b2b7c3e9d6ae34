import { z } from 'zod';
import { type Randomised, type SuiteAttackName, suiteOrder } from '../spec/index.js';
import { cleanRowSchema } from './accuracy-gate.js';
import { isSurelyBroken } from './majority.js';
import { sparedBy, withKnowledge } from './suite-attacks.js';

/** Rounding takes a cosine past 1 by a little. */
const cosineSchema = z.number().min(-1.000001).max(1.000001);

/** What one attack did to one sample. */
const outcomeSchema = z.strictObject({
  /** Whether the attack says that it broke the sample, on the gradient graph. */
  claimed: z.boolean(),
  /** Whether it did: inside the threat model, and misclassified alone in the serving session. */
  broken: z.boolean(),
  /** Distance between the sample and what the attack made of it, in the norm of the gate. */
  distance: z.number().min(0),
  /** What the serving session predicts for what the attack made; −1 where its logits are not finite. */
  prediction: z.int().min(-1),
  /** Of a randomised evaluation: how many of its answers were wrong. */
  wrong: z.int().min(0).optional(),
  /**
   * Of an attack that looks for the nearest: how far the nearest input is, in the ball or beyond it, that it met and the
   * serving session misclassifies; null where it met none.
   */
  nearest: z.number().min(0).nullable().optional(),
  /** Of a universal attack: whether it learned nothing from this sample. */
  heldOut: z.boolean().optional(),
});

/** By attack, in the order run; null where the attack was spared the sample because others had broken it. */
const attacksSchema = z.partialRecord(z.enum(suiteOrder), outcomeSchema.nullable());

/** A line of the evasion gate's evidence. */
export const evasionRowSchema = cleanRowSchema
  .safeExtend({
    /** Null where nothing was attacked: the sample is wrong as it is. */
    attacks: attacksSchema.nullable(),
    /** Control: whether an equal request got an equal answer, bit for bit. */
    repeatable: z.boolean(),
    /**
     * Control of a randomised evaluation: how many answers to the sample as it is were right, in two rounds of the serving
     * session and of the attacked graph's own draws; null where it has none.
     */
    answers: z
      .strictObject({
        first: z.int().min(0),
        again: z.int().min(0),
        attacked: z.int().min(0).nullable(),
      })
      .optional(),
    /** Control: whether PGD without a radius broke this survivor, re-checked; null where it was not tried. */
    unbounded: z.boolean().nullable(),
    /** Control: whether longer attacks broke what gradients had not; null where they were not tried. */
    longer: z.boolean().nullable(),
    /** Control: whether an attack at other scales of the logits broke this survivor; null where it was not tried. */
    rescaled: z.boolean().nullable(),
    /**
     * Control: by how much the loss of the last attack that climbs the cross-entropy rose in its last ten steps; null where
     * none was run, broke off, or had as many steps.
     */
    lateRise: z.number().nullable(),
    /** Control: the gradient against finite differences; null where it was not tried. */
    gradient: z
      .strictObject({
        /** Over short steps; null where either side is zero. */
        cosine: cosineSchema.nullable(),
        /** Over steps of the ball's radius. */
        ballCosine: cosineSchema.nullable(),
        /** What gradients leave unaccounted of all that the logits do on the way to a random input; null where that is nothing. */
        unaccounted: z.number().min(0).nullable(),
      })
      .nullable(),
    /** Control: an adversarial example that exists by construction; null where it was not tried. */
    planted: z
      .strictObject({
        /** Whether the logits could be read so that a planted point stands out. */
        built: z.boolean(),
        /** Whether the suite's strongest gradient attack finds such a point. */
        found: z.boolean(),
        /** Whether as many points drawn at random contain one. */
        foundAtRandom: z.boolean(),
      })
      .nullable(),
    /** Control: whether bounds certify the ball in which this sample was broken; null where they were not tried. */
    certified: z.boolean().nullable(),
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
      namesIn(attacks).every((name) => (attacks[name] === null) === isBrokenBy(sparedBy(name), attacks)),
    { path: ['attacks'], message: 'expected each later attack on every survivor, and on nothing else' },
  );

export type EvasionRow = z.infer<typeof evasionRowSchema>;
export type AttackOutcome = z.infer<typeof outcomeSchema>;

/** What the attacks of the suite did to one sample. */
export type AttackOutcomes = z.infer<typeof attacksSchema>;

/** The attacks of the suite that were run, or spared a sample, in order. */
export function namesIn(attacks: AttackOutcomes): readonly SuiteAttackName[] {
  return suiteOrder.filter((name) => attacks[name] !== undefined);
}

/** Whether any of these attacks broke the sample. */
export function isBrokenBy(names: readonly SuiteAttackName[], attacks: AttackOutcomes | null): boolean {
  return names.some((name) => attacks?.[name]?.broken);
}

/** Whether any of these attacks broke the sample beyond doubt: see {@link isSurelyBroken}. */
export function isSurelyBrokenBy(
  names: readonly SuiteAttackName[],
  attacks: AttackOutcomes | null,
  randomised: Randomised | undefined,
): boolean {
  return names.some((name) => {
    const outcome = attacks?.[name];
    return outcome ? isSurelyBroken(outcome, randomised) : false;
  });
}

/** Right as it is, and not broken by any attack of the suite that follows gradients. */
export function survivesGradients({ correct, attacks }: EvasionRow): boolean {
  return correct && !isBrokenBy(withKnowledge(suiteOrder, 'one-step', 'universal', 'white-box'), attacks);
}

/** Right as it is, and not broken by any attack of the suite. */
export function survivesSuite({ correct, attacks }: EvasionRow): boolean {
  return correct && !isBrokenBy(suiteOrder, attacks);
}

/** Robust: a survivor that no control has broken since by an attack inside the ball. */
export function isRobust(row: EvasionRow): boolean {
  return survivesSuite(row) && row.longer !== true && row.rescaled !== true;
}
