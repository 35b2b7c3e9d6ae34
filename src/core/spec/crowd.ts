import { z } from 'zod';

const writtenSchema = z.array(z.union([z.string(), z.int()]));

/** How the ratings of several people become a label. */
export const crowdSchema = z.strictObject({
  votes: z
    .record(z.string(), writtenSchema.min(1))
    .describe('For every class, what contributors write when they mean it.'),
  abstentions: writtenSchema.default([]).describe('What they write when they mean no class.'),
  aggregate: z
    .enum(['dawid-skene', 'majority'])
    .default('dawid-skene')
    .describe('`dawid-skene` learns whom to believe about which class; `majority` believes all alike.'),
  influence: z
    .number()
    .gt(0)
    .max(1)
    .default(0.05)
    .describe('The largest share of all votes that one contributor counts for.'),
  quarantine: z
    .strictObject({
      falseAlarmRate: z
        .number()
        .gt(0)
        .lt(0.5)
        .default(0.01)
        .describe('Share of honest contributors that may be set aside with the others.'),
      maximumShare: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.5)
        .describe('The largest share of contributors that may be set aside; more refuse the data.'),
    })
    .optional()
    .describe('Contributors whom the others contradict too often are set aside. Without it, all are heard.'),
});

export type CrowdSpec = z.infer<typeof crowdSchema>;
