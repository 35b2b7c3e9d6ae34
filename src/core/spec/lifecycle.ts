import { z } from 'zod';
import { dataSchema } from './data.js';
import { gatesSchema } from './gates.js';
import { nameSchema } from './name.js';
import { servingSchema } from './serving.js';
import { trainingSchema } from './training.js';
import { missesWhatIsServed, withReveals } from './what-is-served.js';

/** Where an accepted model goes. */
export const releaseSchema = z.strictObject({
  endpoint: nameSchema.describe('The endpoint that serves the model; it is made on the first release.'),
  approval: z
    .enum(['none', 'required'])
    .default('none')
    .describe('`required`: the run waits for `assay approve` before it releases.'),
});

/** One lifecycle: what `lifecycle.yaml` says, and all that a run may depend on. */
export const lifecycleSchema = z
  .strictObject({
    apiVersion: z.literal('assay/v1'),
    name: nameSchema.describe('The name of the model; runs are listed under it.'),
    data: dataSchema,
    training: trainingSchema,
    gates: gatesSchema,
    serving: servingSchema
      .optional()
      .describe('What the endpoint reveals to whom. Without it, every client is told everything.'),
    release: releaseSchema,
  })
  .superRefine(({ gates, training, serving }, context) => {
    for (const [index, gate] of gates.entries()) {
      const message = missesWhatIsServed(gate, { smoothing: training.smoothing, serving, training });
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['gates', index], message });
    }
  })
  .transform((lifecycle) => ({
    ...lifecycle,
    // Gates travel alone: each says itself what it is about.
    gates: lifecycle.gates.map((gate) =>
      gate.gate === 'extraction' ? withReveals(gate, lifecycle.serving) : gate,
    ),
  }));

export type Lifecycle = z.infer<typeof lifecycleSchema>;
