import { z } from 'zod';
import { expressionSchema } from './data-checks.js';
import { columnSchema, type TextHazard, textHazards } from './data-columns.js';
import { nameSchema } from './name.js';

/** Personal data that can be told by its form alone. RE2. */
export const personalData = {
  email: '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+',
  iban: '\\b[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,3})?\\b',
  card: '\\b[0-9]{4}([ -]?[0-9]{4}){3}\\b',
  phone: '(\\+|\\b00)[0-9]{1,3}([ .-]?\\(?[0-9]{2,4}\\)?){2,5}\\b',
  ipv4: '\\b(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}\\b',
  'us-ssn': '\\b[0-9]{3}-[0-9]{2}-[0-9]{4}\\b',
} as const;
export type PersonalData = keyof typeof personalData;

const columns = z.array(columnSchema).min(1);

export const transformSchema = z.discriminatedUnion('transform', [
  z.strictObject({ transform: z.literal('trim'), columns }).describe('Takes white space from both ends.'),
  z
    .strictObject({ transform: z.literal('unicode'), columns, form: z.literal('nfc').default('nfc') })
    .describe('Composes characters, so that equal texts are equal bytes.'),
  z
    .strictObject({
      transform: z.literal('strip'),
      columns,
      characters: z
        .array(z.enum(Object.keys(textHazards) as [TextHazard, ...TextHazard[]]))
        .min(1)
        .default(['control', 'bidi', 'invisible']),
    })
    .describe('Takes out characters that hide what a text says.'),
  z
    .strictObject({
      transform: z.literal('clip'),
      columns,
      minimum: z.number().optional(),
      maximum: z.number().optional(),
    })
    .describe('Moves numbers into a range.')
    .refine(({ minimum, maximum }) => minimum !== undefined || maximum !== undefined, {
      message: 'expected a minimum, a maximum or both',
    }),
  z
    .strictObject({
      transform: z.literal('redact'),
      columns,
      kinds: z
        .array(z.enum(Object.keys(personalData) as [PersonalData, ...PersonalData[]]))
        .min(1)
        .optional()
        .describe('Default: all.'),
      pattern: z.string().min(1).max(1000).optional().describe('RE2; what it finds is redacted, too.'),
    })
    .describe('Puts `[email]`, `[phone]`, … in the place of personal data.'),
  z
    .strictObject({ transform: z.literal('drop'), name: nameSchema, when: expressionSchema })
    .describe('Leaves out rows of which an expression is true.'),
]);

/** One change to the data before it is checked; applied in the order of the list. */
export type TransformSpec = z.infer<typeof transformSchema>;
