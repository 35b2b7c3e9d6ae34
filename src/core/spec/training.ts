import { z } from 'zod';
import { servedSmoothingSchema } from './certification.js';
import { adversarialSchema, attackedBallSchema } from './training-methods.js';
import { networkSchema } from './training-network.js';
import { scheduleSchema } from './training-schedule.js';

const earlyStoppingSchema = z.strictObject({
  on: z
    .enum(['robust', 'clean'])
    .default('robust')
    .describe('`robust`: accuracy under a short PGD; `clean`: plain accuracy. Of validation samples.'),
  everyEpochs: z.int().min(1).default(1),
  patience: z
    .int()
    .min(1)
    .optional()
    .describe('Stop after so many looks without a better one; default: train to the end, keep the best.'),
  samples: z.int().min(1).default(500).describe('At most so many validation samples are looked at.'),
  attack: attackedBallSchema
    .optional()
    .describe('What `robust` attacks with; default: the ball of `adversarial`.'),
});

/** Training in partitions: each network sees one of them, and they vote. */
const partitionsSchema = z.strictObject({
  count: z
    .int()
    .min(2)
    .max(10_000)
    .describe('Networks that vote. More of them bear more poison, and each sees fewer samples.'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe('Of the hash that sends a sample, by its values alone, to its partition.'),
});
export type PartitionsSpec = z.infer<typeof partitionsSchema>;

/** Parameters of the built-in trainer. What is optional has no default, so that older files keep their digest. */
export const builtInParametersSchema = z
  .strictObject({
    network: networkSchema,
    epochs: z.int().min(1).max(100_000),
    batchSize: z.int().min(1).max(65_536).default(64),
    learningRate: z.number().gt(0).default(0.001),
    schedule: scheduleSchema.optional().describe('How the learning rate changes; default: not at all.'),
    weightDecay: z.number().min(0).default(0).describe('Decoupled weight decay (AdamW).'),
    dropout: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('Share of values dropped after each hidden dense layer while training.'),
    labelSmoothing: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('Share of each label that is spread evenly over all classes.'),
    adversarial: adversarialSchema
      .optional()
      .describe('How the model is made robust; default: it is trained plainly.'),
    earlyStopping: earlyStoppingSchema
      .optional()
      .describe(
        'Keep the best weights seen. `fgsm-rs` does so always, as it may overfit from one epoch to the next.',
      ),
    partitions: partitionsSchema
      .optional()
      .describe(
        'Deep partition aggregation (Levine, Feizi 2021): one network a partition of the training samples; their votes are the model. How many poisoned samples a prediction withstands is then proved: see the gate `certified-poisoning`.',
      ),
    checkpointEverySeconds: z
      .number()
      .gt(0)
      .default(10)
      .describe('How much work a killed worker may cost; results do not depend on it.'),
  })
  .superRefine(({ adversarial, earlyStopping, network, dropout, partitions }, context) => {
    const unlike = partitions && sharedByPartitions({ adversarial, earlyStopping, network });
    if (unlike) context.addIssue({ code: 'custom', ...unlike });
    const hasBall = adversarial !== undefined && 'norm' in adversarial;
    if (earlyStopping?.on === 'robust' && !earlyStopping.attack && !hasBall) {
      context.addIssue({
        code: 'custom',
        path: ['earlyStopping', 'attack'],
        message: 'expected the norm and epsilon to attack with, as the training method has none',
      });
    }
    if (dropout !== undefined && !('hidden' in network && network.hidden.length > 0)) {
      context.addIssue({
        code: 'custom',
        path: ['dropout'],
        message: 'expected a network with hidden dense layers to drop values of',
      });
    }
    if (adversarial?.method === 'ibp' && network.kind === 'onnx') {
      context.addIssue({
        code: 'custom',
        path: ['adversarial', 'method'],
        message: 'expected a linear, mlp or cnn network for ibp, got an ONNX file',
      });
    }
  });

/** What would reach all networks at once, so that one poisoned sample might change every vote. */
function sharedByPartitions({
  adversarial,
  earlyStopping,
  network,
}: {
  readonly adversarial?: { readonly method: string } | undefined;
  readonly earlyStopping?: unknown;
  readonly network: { readonly kind: string };
}): { readonly path: string[]; readonly message: string } | undefined {
  if (network.kind === 'onnx')
    return {
      path: ['network', 'kind'],
      message: 'expected a linear, mlp or cnn network to train in partitions, got an ONNX file',
    };
  if (earlyStopping !== undefined)
    return {
      path: ['earlyStopping'],
      message:
        'expected no early stopping in partitions: networks that share validation samples are not independent of each other',
    };
  return adversarial?.method === 'fgsm-rs'
    ? {
        path: ['adversarial', 'method'],
        message:
          'expected another method than fgsm-rs in partitions: it always stops early, by validation samples that partitions would share',
      }
    : undefined;
}

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
  smoothing: servedSmoothingSchema
    .optional()
    .describe(
      'The model is the base of a smoothed classifier, and that is what is served: the majority answer under Gaussian noise, or an abstention.',
    ),
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

/**
 * How many networks vote, where the built-in trainer trained in partitions: only of it is it known that voters are independent.
 *
 * @param training - of a lifecycle or of a model card
 */
export function votersOf({
  trainer,
  parameters,
}: {
  readonly trainer: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}): number | undefined {
  if (trainer.split('/', 1)[0] !== 'built-in') return undefined;
  return partitionsSchema.optional().catch(undefined).parse(parameters.partitions)?.count;
}

/** The files, relative to the lifecycle file, that a training needs beside its snapshot. */
export function trainingFiles(training: TrainingSpec): readonly string[] {
  if (training.trainer === 'program') return training.files;
  const { network } = training.parameters;
  return network.kind === 'onnx' ? [network.file] : [];
}

export type TrainingSpec = z.infer<typeof trainingSchema>;
export type BuiltInParameters = z.infer<typeof builtInParametersSchema>;
export type EarlyStoppingSpec = z.infer<typeof earlyStoppingSchema>;
