import { z } from 'zod';
import { nameSchema, trainingSchema } from '../../spec/index.js';
import { descriptorSchema, type PredicateType } from './predicate.js';

/** How the fields of a build are to be read: a lifecycle's training stage. */
export const trainingBuildType = 'https://assay.dev/training/v1';

const schema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(trainingBuildType),
    externalParameters: z.strictObject({ name: nameSchema, training: trainingSchema }),
    /** `snapshot`, `environment`, `program` where the trainer has files, and `parent`, the one that was fine-tuned. */
    resolvedDependencies: z.array(descriptorSchema),
  }),
  runDetails: z.strictObject({
    builder: z.strictObject({ id: z.url() }),
    metadata: z.strictObject({
      invocationId: z.string(),
      startedOn: z.iso.datetime(),
      finishedOn: z.iso.datetime(),
    }),
  }),
});

/** Says of a model: it was trained from these materials with these parameters (SLSA provenance v1). */
export const provenancePredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://slsa.dev/provenance/v1',
  role: 'provenance',
  schema,
};
