import { z } from 'zod';

/** Detectors that a run can ask of a snapshot; what each looks for is said in `docs/poisoning.md`. */
export const inspectionDetectors = [
  'label-noise',
  'outliers',
  'local-outliers',
  'isolation-forest',
  'mahalanobis',
  'near-duplicates',
  'association',
  'spectral-signatures',
  'activation-clustering',
  'deep-neighbours',
  'trigger-search',
] as const;

/** How training data are looked at for tampering before anything is trained on them. */
export const inspectionSchema = z.strictObject({
  detectors: z
    .array(z.enum(inspectionDetectors))
    .min(1)
    .refine((names) => new Set(names).size === names.length, { message: 'expected each detector once' })
    .describe('The data are refused when one of them finds more suspects than honest data would give.'),
  falseAlarmRate: z
    .number()
    .gt(0)
    .lt(0.5)
    .default(0.01)
    .describe('Share of honest samples that each detector may flag.'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe('Names all random choices.'),
});

export type InspectionSpec = z.infer<typeof inspectionSchema>;
