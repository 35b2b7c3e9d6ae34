import { z } from 'zod';
import { crowdSchema } from './crowd.js';
import { dataCheckSchema } from './data-checks.js';
import { columnSchema, otherColumnSchema } from './data-columns.js';
import { columnReferenceProblems } from './data-references.js';
import { transformSchema } from './data-transforms.js';
import { inspectionSchema } from './inspection.js';
import { bucketColumns, textFeaturesSchema } from './text.js';

const featureSchema = z
  .strictObject({
    columns: z
      .array(columnSchema)
      .min(1)
      .describe('Columns of the source, in the order the model sees them.'),
    type: z.enum(['integer', 'number']),
    minimum: z.number().describe('The smallest value allowed; a smaller one refuses its row.'),
    maximum: z.number().describe('The largest value allowed; a larger one refuses its row.'),
    scale: z
      .enum(['none', 'unit'])
      .default('none')
      .describe('`unit`: the model sees (value − minimum) / (maximum − minimum), so its range is [0, 1].'),
    values: z
      .array(z.number())
      .min(2)
      .max(10_000)
      .optional()
      .describe('The only values allowed, in ascending order: ordered categories such as [0, 0.5, 1].'),
    oneHot: z
      .literal(true)
      .optional()
      .describe('In every row exactly one of the columns is 1, and the others are 0.'),
    mutable: z
      .literal(false)
      .optional()
      .describe('An adversary cannot change it. Only evasion gates that respect `immutable` believe that.'),
  })
  .refine((feature) => feature.minimum < feature.maximum, {
    path: ['maximum'],
    message: 'expected a maximum above the minimum',
  })
  .superRefine(({ columns, type, minimum, maximum, values, oneHot }, context) => {
    const expect = (holds: boolean, path: string, message: string): void => {
      if (!holds) context.addIssue({ code: 'custom', path: [path], message });
    };
    for (const [i, value] of (values ?? []).entries()) {
      expect(i === 0 || value > values![i - 1]!, 'values', `expected ascending values, got ${value} later`);
      expect(value >= minimum && value <= maximum, 'values', `expected values in the range, got ${value}`);
      expect(
        type === 'number' || Number.isInteger(value),
        'values',
        `expected integers, as the type says, got ${value}`,
      );
    }
    if (!oneHot) return;
    expect(columns.length > 1, 'columns', 'expected a one-hot group of two columns or more');
    expect(minimum === 0 && maximum === 1, 'oneHot', 'expected a one-hot group with minimum 0 and maximum 1');
    expect(values === undefined, 'oneHot', 'expected a one-hot group without values, which are 0 and 1');
  });

const splitSchema = z
  .strictObject({
    train: z.number().gt(0).lt(1).default(0.7),
    validation: z.number().gt(0).lt(1).default(0.1),
    test: z.number().gt(0).lt(1).default(0.2),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0),
  })
  .refine((split) => Math.abs(split.train + split.validation + split.test - 1) < 1e-9, {
    message: 'expected train, validation and test to sum to 1',
  });

/** What the source must look like. Whatever does not is refused, row by row. */
export const dataSchema = z
  .strictObject({
    source: z.string().min(1).describe('A CSV, JSON Lines or Parquet file, relative to the lifecycle file.'),
    format: z.enum(['csv', 'jsonl', 'parquet']).optional().describe('Taken from the file name when absent.'),
    id: columnSchema.describe('The column that names a sample; values are unique.'),
    label: z.strictObject({
      column: columnSchema,
      classes: z
        .array(z.union([z.string(), z.int()]))
        .min(2)
        .describe('Every allowed label; the position is the class index that the model predicts.'),
      crowd: crowdSchema
        .optional()
        .describe('The column holds a JSON object of what each contributor says; the label is made of that.'),
    }),
    features: z.array(featureSchema).default([]),
    text: textFeaturesSchema
      .optional()
      .describe('A text, which the model sees as hashed n-grams, instead of features.'),
    shape: z
      .array(z.int().min(1))
      .min(1)
      .max(4)
      .optional()
      .describe('Shape of one sample as the model sees it, such as [1, 8, 8]; one flat axis when absent.'),
    rows: z
      .strictObject({ minimum: z.int().min(1).default(1), maximum: z.int().min(1).default(10_000_000) })
      .prefault({}),
    split: splitSchema.prefault({}),
    columns: z
      .array(otherColumnSchema)
      .min(1)
      .optional()
      .describe('Further columns of the source: checked and kept, and never seen by the model.'),
    sanitise: z
      .array(transformSchema)
      .min(1)
      .optional()
      .describe(
        'Changes to make before the checks, in this order; each is recorded with how much it changed.',
      ),
    checks: z
      .array(dataCheckSchema)
      .min(1)
      .optional()
      .describe('What must be true of rows and of the whole.'),
    // A template, not the digest schema: it can be told in JSON Schema.
    reference: z
      .templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)])
      .optional()
      .describe('The snapshot that this data follows: drift is measured against it.'),
    quarantine: z
      .strictObject({
        maximumShare: z
          .number()
          .gt(0)
          .lt(1)
          .describe('The largest share of rows that may be set aside; more refuse the data as a whole.'),
      })
      .optional()
      .describe(
        'Rows that break a rule are set aside, and the others accepted. Without it, one such row refuses all.',
      ),
    inspect: inspectionSchema
      .optional()
      .describe('Look for tampering before anything is trained, and refuse data that look tampered with.'),
  })
  .superRefine((data, context) => {
    const seen = new Set([data.id, data.label.column]);
    if (data.id === data.label.column) {
      context.addIssue({
        code: 'custom',
        path: ['label', 'column'],
        message: 'expected another column than the id',
      });
    }
    for (const [group, feature] of data.features.entries()) {
      for (const [index, column] of feature.columns.entries()) {
        if (seen.has(column)) {
          context.addIssue({
            code: 'custom',
            path: ['features', group, 'columns', index],
            message: `expected each column once, got ${column} again`,
          });
        }
        seen.add(column);
      }
    }
    if (data.text && seen.has(data.text.column)) {
      context.addIssue({
        code: 'custom',
        path: ['text', 'column'],
        message: `expected each column once, got ${data.text.column} again`,
      });
    }
    if (data.text) seen.add(data.text.column);
    for (const [index, { name }] of (data.columns ?? []).entries()) {
      if (seen.has(name)) {
        context.addIssue({
          code: 'custom',
          path: ['columns', index, 'name'],
          message: `expected each column once, got ${name} again`,
        });
      }
      seen.add(name);
    }
    for (const { path, message } of columnReferenceProblems(data, seen)) {
      context.addIssue({ code: 'custom', path, message });
    }
    const inputs = inputColumns(data).length;
    if ((data.features.length === 0) === (data.text === undefined)) {
      context.addIssue({ code: 'custom', path: ['features'], message: 'expected features or a text' });
    }
    const size = data.shape?.reduce((product, axis) => product * axis, 1);
    if (size !== undefined && size !== inputs) {
      context.addIssue({
        code: 'custom',
        path: ['shape'],
        message: `expected a shape of ${inputs} values, one a model input, got ${size}`,
      });
    }
    for (const message of crowdProblems(data.label)) {
      context.addIssue({ code: 'custom', path: ['label', 'crowd', 'votes'], message });
    }
    const classes = new Set(data.label.classes.map(String));
    if (classes.size !== data.label.classes.length) {
      context.addIssue({ code: 'custom', path: ['label', 'classes'], message: 'expected each class once' });
    }
  });

/** Names of the model's inputs, in its order: feature columns, or what the text becomes. */
export function inputColumns({
  features,
  text,
}: {
  readonly features: readonly { readonly columns: readonly string[] }[];
  readonly text?: z.infer<typeof textFeaturesSchema> | undefined;
}): readonly string[] {
  return text ? bucketColumns(text) : features.flatMap(({ columns }) => columns);
}

/** Votes must tell, for every class, what means it, and nothing may mean two things. */
function crowdProblems({
  classes,
  crowd,
}: {
  readonly classes: readonly (string | number)[];
  readonly crowd?: z.infer<typeof crowdSchema> | undefined;
}): readonly string[] {
  if (!crowd) return [];
  const expected = classes.map(String);
  const named = Object.keys(crowd.votes);
  const written = [...Object.values(crowd.votes).flat(), ...crowd.abstentions].map(String);
  return [
    ...expected.filter((name) => !named.includes(name)).map((name) => `expected votes for class ${name}`),
    ...named.filter((name) => !expected.includes(name)).map((name) => `expected classes only, got ${name}`),
    ...written
      .filter((vote, index) => written.indexOf(vote) !== index)
      .map((vote) => `expected each vote to mean one thing, got ${vote} twice`),
  ];
}

export type DataSpec = z.infer<typeof dataSchema>;
export type FeatureSpec = z.infer<typeof featureSchema>;
