import { z } from 'zod';
import { servedSmoothingSchema } from './certification.js';
import { digestSchema } from './digest.js';
import { nameSchema } from './name.js';
import { textFeaturesSchema } from './text.js';

/** `model-card.json` in the model folder: what a server must know of a model, covered by the model's signature. */
export const modelCardSchema = z.strictObject({
  version: z.literal(1),
  name: nameSchema,
  /** `model.onnx` takes one float input [N, …shape] and gives one float output of logits [N, classes.length]. */
  input: z.strictObject({
    name: z.string(),
    shape: z.array(z.int().min(1)),
    /** Valid range of every value, flat, in the units that the model sees. */
    minimum: z.array(z.number()),
    maximum: z.array(z.number()),
    /** Source column of every value, flat. */
    columns: z.array(z.string()),
    /** Where it is given, the values are the hashed n-grams of a text, which a server takes instead of them. */
    text: textFeaturesSchema.optional(),
  }),
  output: z.strictObject({ name: z.string(), classes: z.array(z.union([z.string(), z.int()])) }),
  /**
   * Where it is given, the model is served smoothed: a server answers with what the model says most often of the input under
   * Gaussian noise, which is not clipped to the range, or abstains.
   */
  smoothing: servedSmoothingSchema.optional(),
  snapshot: digestSchema,
  training: z.strictObject({
    trainer: z.string(),
    seed: z.int(),
    parameters: z.record(z.string(), z.json()),
  }),
});

export type ModelCard = z.infer<typeof modelCardSchema>;
