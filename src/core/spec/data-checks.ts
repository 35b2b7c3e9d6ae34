import { z } from 'zod';
import { columnSchema } from './data-columns.js';
import { nameSchema } from './name.js';

/** How far apart two distributions are, and from where on that is usually called too far. */
export const driftMetrics = {
  psi: { maximum: 0.1, name: 'population stability index' },
  ks: { maximum: 0.1, name: 'Kolmogorov–Smirnov distance' },
  'chi-square': { maximum: 0.1, name: "Cramér's V" },
  'jensen-shannon': { maximum: 0.1, name: 'Jensen–Shannon distance' },
} as const;

const confidence = z.number().gt(0.5).lt(1).default(0.95).describe('Of the interval that decides.');

export const expressionSchema = z
  .string()
  .min(1)
  .max(2000)
  .describe('SQL over columns of the source, true or false; no queries, no aggregates, no files.');

const uniqueSchema = z.strictObject({
  check: z.literal('unique'),
  columns: z.array(columnSchema).min(1).describe('No two rows have equal values in all of them.'),
});

const ruleSchema = z.strictObject({
  check: z.literal('rule'),
  name: nameSchema,
  expression: expressionSchema,
});

const freshnessSchema = z.strictObject({
  check: z.literal('freshness'),
  column: columnSchema.describe('A column of type timestamp.'),
  maximumAgeHours: z.number().gt(0).describe('The newest row is at most this old.'),
});

const classBalanceSchema = z.strictObject({
  check: z.literal('class-balance'),
  minimumShare: z.number().gt(0).lt(0.5).describe('The smallest share of rows that a class may have.'),
  confidence,
});

const driftSchema = z.strictObject({
  check: z.literal('drift'),
  metric: z
    .enum(Object.keys(driftMetrics) as [keyof typeof driftMetrics, ...(keyof typeof driftMetrics)[]])
    .default('psi'),
  columns: z.array(columnSchema).min(1).optional().describe('Default: the label and all features.'),
  maximum: z.number().gt(0).optional().describe('The largest shift allowed; default: 0.1.'),
  confidence,
  falseDiscoveryRate: z
    .number()
    .gt(0)
    .lt(0.5)
    .default(0.05)
    .describe('Of the columns that are called drifted, the share that may be called so by chance.'),
});

const vectorDriftSchema = z.strictObject({
  check: z.literal('vector-drift'),
  maximum: z
    .number()
    .gt(0)
    .default(0.1)
    .describe('The largest distance allowed: the maximum mean discrepancy, with a Gaussian kernel.'),
  confidence,
});

const imageSchema = z.strictObject({
  check: z.literal('image'),
  minimumContrast: z
    .number()
    .gt(0)
    .lte(1)
    .describe('Largest less smallest value of an image, as a share of the range of its features.'),
  channels: z
    .array(z.strictObject({ minimum: z.number(), maximum: z.number() }))
    .min(1)
    .optional()
    .describe('The range of the mean of each channel, the first axis of the shape.'),
});

export const dataCheckSchema = z.discriminatedUnion('check', [
  uniqueSchema,
  ruleSchema,
  freshnessSchema,
  classBalanceSchema,
  driftSchema,
  vectorDriftSchema,
  imageSchema,
]);

export type DataCheckSpec = z.infer<typeof dataCheckSchema>;
/** One kind of check. */
export type DataCheckOf<Kind extends DataCheckSpec['check']> = Extract<DataCheckSpec, { check: Kind }>;
