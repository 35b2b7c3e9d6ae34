import { z } from 'zod';
import { nameSchema } from './name.js';
import { defaultScope, revealsSchema } from './serving.js';

/** What an extraction gate asks, but for what every gate says. */
export const extractionFields = {
  scope: nameSchema
    .default(defaultScope)
    .describe('The thief is a client of this scope: see serving.scopes, which say what it is told.'),
  queries: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(2000)
    .describe('Samples that the thief may ask about before it is cut off.'),
  maximum: z
    .number()
    .gt(0)
    .lt(1)
    .describe(
      'The most agreement that a stolen copy may have with the model, on samples it never asked about.',
    ),
  samples: z
    .int()
    .min(1)
    .default(1000)
    .describe('Test samples that copies are compared on; all of them when there are fewer.'),
  reveals: revealsSchema
    .optional()
    .describe('What the scope is told. Leave it out: it is taken from serving.scopes.'),
};
