import { z } from 'zod';
import type { PredicateType } from './predicate.js';

const text = z.string().min(1);

/** The parts of CycloneDX 1.6 that are read again; the rest is for people and their tools, and decides nothing. */
const schema = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  version: z.literal(1),
  metadata: z.looseObject({
    timestamp: z.iso.datetime(),
    component: z.looseObject({
      type: z.literal('machine-learning-model'),
      name: text,
      /** `endpoint/revision`. */
      version: z.string().regex(/^[^/]+\/\d+$/),
    }),
  }),
  components: z.array(z.looseObject({ type: text, name: text })),
  /** The release that it was made for. */
  externalReferences: z.tuple([
    z.strictObject({
      type: z.literal('attestation'),
      url: z.string().regex(/^urn:sha256:[0-9a-f]{64}$/),
      comment: z.literal('release'),
    }),
  ]),
});

/** Says of a model: it is made of these data and programs, and was measured so (CycloneDX 1.6, ML-BOM). */
export const bomPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://cyclonedx.org/bom',
  role: 'release',
  schema,
};

export type Bom = z.infer<typeof schema>;
