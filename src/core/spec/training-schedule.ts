import { z } from 'zod';

const warmUpEpochs = z
  .number()
  .gt(0)
  .optional()
  .describe('Epochs over which the learning rate first rises linearly from 0.');

/** How the learning rate changes from step to step. */
export const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), warmUpEpochs }),
  z.strictObject({
    kind: z.literal('cosine'),
    final: z.number().min(0).lt(1).default(0).describe('Share of the learning rate at the end.'),
    warmUpEpochs,
  }),
  z.strictObject({
    kind: z.literal('step'),
    epochs: z.array(z.number().gt(0)).min(1).describe('After so many epochs each, the rate is multiplied.'),
    factor: z.number().gt(0).lt(1).default(0.1),
    warmUpEpochs,
  }),
  z.strictObject({
    kind: z.literal('one-cycle'),
    peak: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.4)
      .describe('Share of the training after which the rate, rising from 0 and falling to 0, is highest.'),
  }),
]);

export type ScheduleSpec = z.infer<typeof scheduleSchema>;
