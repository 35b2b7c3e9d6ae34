import { z } from 'zod';

/** How a text becomes numbers. A model card repeats it, so that requests become the same numbers. */
export const textFeaturesSchema = z.strictObject({
  column: z.string().min(1).max(256).describe('The column that holds the text.'),
  words: z
    .array(z.int().min(1).max(5))
    .default([1, 2])
    .describe('Lengths of the word n-grams that the model sees.'),
  characters: z
    .array(z.int().min(1).max(8))
    .default([])
    .describe('Lengths of the character n-grams inside words that the model sees, too.'),
  buckets: z
    .int()
    .min(16)
    .max(65_536)
    .default(2048)
    .describe('Numbers that a text becomes: each n-gram is hashed to one of them.'),
  maximumLength: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('The longest text allowed, in code points; a longer one refuses its row.'),
});

export type TextFeatures = z.infer<typeof textFeaturesSchema>;

/** Names of the model inputs that a text becomes, in model order. */
export function bucketColumns({ column, buckets }: TextFeatures): readonly string[] {
  return Array.from({ length: buckets }, (_, bucket) => `${column}#${bucket}`);
}
