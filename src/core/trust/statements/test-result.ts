import { z } from 'zod';
import { gateSchema, verdictSchema } from '../../spec/index.js';
import { descriptorSchema, type PredicateType } from './predicate.js';

const schema = z.strictObject({
  /** `WARNED`: the gate was inconclusive, which blocks a release like a failure. */
  result: z.enum(['PASSED', 'WARNED', 'FAILED']),
  /**
   * `gates` (all gates of the run), `snapshot` whose test rows were used, `evidence` (per-sample
   * results), and `parent` where the gate attacked through one (ONNX file). */
  configuration: z.array(descriptorSchema),
  /** An extension field is named by a URI (in-toto attestation framework, parsing rules). */
  'https://assay.dev/attestation/verdict/v1': z.strictObject({ gate: gateSchema, verdict: verdictSchema }),
});

/** Says of a model: this gate was run on it, and decided so (in-toto test result v0.1). */
export const testResultPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://in-toto.io/attestation/test-result/v0.1',
  role: 'test',
  schema,
};

/** The result that stands for each status of a verdict. */
export const resultOfStatus = { pass: 'PASSED', inconclusive: 'WARNED', fail: 'FAILED' } as const;
