import { z } from 'zod';
import { nameSchema } from './name.js';

/** What a client may be told. An endpoint that is served smoothed also says whether it abstains, always. */
export const revealedOutputs = ['label', 'probabilities'] as const;

/** What an endpoint reveals of its answers; everything that is left out is revealed. The label is never another one. */
export const revealsSchema = z.strictObject({
  outputs: z
    .array(z.enum(revealedOutputs))
    .min(1)
    .refine((outputs) => new Set(outputs).size === outputs.length, { message: 'expected each output once' })
    .default([...revealedOutputs])
    .describe('`[label]` hides all probabilities.'),
  minimumConfidence: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('Hides the probabilities of an answer whose class is less probable: those near a boundary.'),
  temperature: z
    .number()
    .min(1)
    .max(1000)
    .optional()
    .describe('Flattens probabilities: the softmax of the logits divided by it.'),
  noise: z
    .number()
    .gt(0)
    .max(10)
    .optional()
    .describe(
      'Standard deviation of normal noise on the logarithms of probabilities. It is keyed by the input: asking again gives the same answer.',
    ),
  top: z.int().min(1).optional().describe('How many probabilities are told, the largest; the others read 0.'),
  decimals: z.int().min(1).max(6).optional().describe('Decimals to which probabilities are rounded.'),
});
export type Reveals = z.infer<typeof revealsSchema>;

const samples = z.int().min(1).max(1e12);

/** How many samples one client may ask about: the only thing that stops a patient thief. */
export const queryBudgetSchema = z
  .strictObject({
    perMinute: samples.optional().describe('In bursts of as many at most; each gateway counts for itself.'),
    perDay: samples.optional().describe('From midnight to midnight UTC, by all gateways together.'),
    total: samples.optional().describe('Ever, by all gateways together.'),
  })
  .refine((budget) => Object.keys(budget).length > 0, { message: 'expected perMinute, perDay or total' });
export type QueryBudget = z.infer<typeof queryBudgetSchema>;

/** The scope of clients whose record names none. */
export const defaultScope = 'public';

/** Looking at what each client asks, for what thieves and attackers do and others do not. */
const watchSchema = z.strictObject({
  falseAlarmRate: z
    .number()
    .gt(0)
    .max(0.1)
    .default(0.001)
    .describe('Of a client and day, if it asks about samples like those of the snapshot.'),
  action: z
    .enum(['log', 'withhold', 'block'])
    .default('log')
    .describe('`withhold`: no probabilities for the rest of the day; `block`: no answers.'),
});
export type WatchSpec = z.infer<typeof watchSchema>;

const scopeSchema = z.strictObject({
  reveals: revealsSchema.prefault({}),
  watch: watchSchema.optional().describe('Look for thieves and attackers among the clients of the scope.'),
  budget: queryBudgetSchema
    .optional()
    .describe('What each client of the scope may ask; no limit without it.'),
});
/** What clients of one scope are told, and how much they may ask. */
export type ScopeSpec = z.infer<typeof scopeSchema>;

/** How an endpoint is served: to which clients it says how much. Clients of a scope that is not listed are turned away. */
export const servingSchema = z.strictObject({
  scopes: z
    .record(nameSchema, scopeSchema)
    .refine((scopes) => Object.keys(scopes).length > 0, { message: 'expected at least one scope' })
    .describe(
      `Groups of clients, by the scope in their record; it is \`${defaultScope}\` where the record names none.`,
    ),
});
export type ServingSpec = z.infer<typeof servingSchema>;
