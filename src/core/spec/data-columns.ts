import { z } from 'zod';

export const columnSchema = z.string().min(1).max(256);

/** Characters that hide what a text says, or show that it was garbled on its way. */
export const textHazards = {
  /** Control characters but tab and line ends. */
  control: '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x{9f}]',
  /** Marks that turn the direction of reading: what is shown is not what is there (CVE-2021-42574). */
  bidi: '[\\x{061c}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]',
  /** Characters without width, tags included. */
  invisible: '[\\x{00ad}\\x{180e}\\x{200b}-\\x{200d}\\x{2060}-\\x{2064}\\x{feff}\\x{e0000}-\\x{e007f}]',
  /** U+FFFD: bytes were lost when somebody decoded them. */
  replacement: '\\x{fffd}',
  /** UTF-8 that was read as Latin-1 or Windows-1252: `Ã©` for `é`. */
  mojibake:
    '[\\x{c2}-\\x{c5}][\\x{80}-\\x{bf}\\x{20ac}\\x{201a}\\x{201e}\\x{2026}\\x{2020}\\x{2021}\\x{2122}]',
} as const;
export type TextHazard = keyof typeof textHazards;

const isoDate = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?)?$/, 'expected a date such as 2024-01-31')
  .describe('ISO 8601, in UTC.');

/** Which fields go with which types. */
const fieldsOf = {
  minimum: ['integer', 'number'],
  maximum: ['integer', 'number'],
  after: ['timestamp'],
  before: ['timestamp'],
  pattern: ['text'],
  length: ['text'],
  allow: ['text'],
} as const;

export const otherColumnSchema = z
  .strictObject({
    name: columnSchema,
    type: z.enum(['text', 'integer', 'number', 'boolean', 'timestamp']),
    nulls: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('The largest share of rows that may have no value; with 0, such a row is refused.'),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    after: isoDate.optional().describe('The earliest time allowed.'),
    before: isoDate.optional().describe('The first time that is too late.'),
    pattern: z.string().min(1).max(1000).optional().describe('RE2, for the whole value.'),
    length: z
      .strictObject({
        minimum: z.int().min(0).default(0),
        maximum: z.int().min(1).max(1_000_000),
      })
      .optional()
      .describe('Characters.'),
    allow: z
      .array(z.enum(Object.keys(textHazards) as [TextHazard, ...TextHazard[]]))
      .optional()
      .describe('Characters that are refused unless they are named here.'),
    values: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .max(10_000)
      .optional()
      .describe('The only values allowed.'),
    valuesOf: z
      .strictObject({ source: z.string().min(1), column: columnSchema })
      .optional()
      .describe(
        'The only values allowed are those of a column of another file, relative to the lifecycle file.',
      ),
    keep: z.literal(false).optional().describe('It is checked, and left out of the snapshot.'),
  })
  .superRefine((column, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    for (const [field, types] of Object.entries(fieldsOf)) {
      const fits = (types as readonly string[]).includes(column.type);
      if (column[field as keyof typeof fieldsOf] !== undefined && !fits)
        complain(field, `expected it for columns of type ${types.join(' or ')} only, got ${column.type}`);
    }
    if (column.minimum !== undefined && column.maximum !== undefined && column.minimum > column.maximum)
      complain('maximum', 'expected a maximum that is not below the minimum');
    if (column.values && column.valuesOf) complain('valuesOf', 'expected values or valuesOf, got both');
  });

/** A column beside id, label and features: checked, kept, and never seen by the model. */
export type OtherColumnSpec = z.infer<typeof otherColumnSchema>;
