import { z } from 'zod';
import { cleanRowSchema } from './accuracy-gate.js';

const answersOfCopies = z.record(z.string(), z.int().min(-1));

/** A line of the extraction gate's evidence; `predicted` is −1 where the model abstains. */
export const extractionRowSchema = cleanRowSchema.safeExtend({
  /** The model's probability of its answer. */
  confidence: z.number().min(0).max(1),
  /** What clients of the scope are told of it; 0 where nothing. */
  told: z.number().min(0).max(1),
  /** Whether the told probabilities speak for another class than the label. */
  contradicted: z.boolean(),
  /** What each attack's copy answers, stolen as a client of the scope. */
  copies: answersOfCopies,
  /** The same, had the thief been told everything. */
  copiesToldAll: answersOfCopies,
});
export type ExtractionRow = z.infer<typeof extractionRowSchema>;
