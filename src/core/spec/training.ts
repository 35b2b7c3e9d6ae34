import { z } from 'zod';

const networkSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('linear') }),
  z.strictObject({ kind: z.literal('mlp'), hidden: z.array(z.int().min(1).max(4096)).min(1).max(8) }),
  z.strictObject({
    kind: z.literal('cnn'),
    channels: z
      .array(z.int().min(1).max(512))
      .min(1)
      .max(6)
      .describe('Output channels of each 3×3 convolution; each is followed by ReLU.'),
    pool: z
      .array(z.boolean())
      .optional()
      .describe('Whether 2×2 max-pooling follows each convolution; default: none.'),
    hidden: z.array(z.int().min(1).max(4096)).max(4).default([]),
  }),
]);

const adversarialSchema = z.strictObject({
  method: z
    .literal('pgd')
    .describe('Madry et al. 2018: every step trains on PGD examples of the current model.'),
  norm: z.literal('linf'),
  epsilon: z.number().gt(0).describe('Radius of the ball, in the units that the model sees.'),
  steps: z.int().min(1).max(200).default(7),
  stepSize: z.number().gt(0).optional().describe('Default: 2.5 · epsilon / steps.'),
});

/** Parameters of the built-in trainer. */
export const builtInParametersSchema = z.strictObject({
  network: networkSchema,
  epochs: z.int().min(1).max(100_000),
  batchSize: z.int().min(1).max(65_536).default(64),
  learningRate: z.number().gt(0).default(0.001),
  weightDecay: z.number().min(0).default(0).describe('Decoupled weight decay (AdamW).'),
  adversarial: adversarialSchema.optional(),
  checkpointEverySeconds: z
    .number()
    .gt(0)
    .default(10)
    .describe('How much work a killed worker may cost; results do not depend on it.'),
});

const shared = {
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
  gpu: z
    .enum(['require', 'prefer', 'never'])
    .default('never')
    .describe('`prefer` falls back to CPU when no GPU worker polls; `require` waits, then refuses.'),
  timeoutMinutes: z.int().min(1).max(10_080).default(60),
  reproduce: z
    .boolean()
    .default(true)
    .describe('Train a second time on another worker and refuse the run unless the digests agree.'),
};

export const trainingSchema = z.discriminatedUnion('trainer', [
  z.strictObject({ trainer: z.literal('built-in'), parameters: builtInParametersSchema, ...shared }),
  z.strictObject({
    trainer: z.literal('program'),
    command: z.array(z.string().min(1)).min(1).describe('The program and its first arguments.'),
    files: z
      .array(z.string().min(1))
      .default([])
      .describe('Files of the program, relative to the lifecycle file; it starts in a folder holding them.'),
    parameters: z.record(z.string(), z.json()).default({}),
    ...shared,
  }),
]);

export type TrainingSpec = z.infer<typeof trainingSchema>;
export type BuiltInParameters = z.infer<typeof builtInParametersSchema>;
export type NetworkSpec = z.infer<typeof networkSchema>;
export type AdversarialSpec = z.infer<typeof adversarialSchema>;
