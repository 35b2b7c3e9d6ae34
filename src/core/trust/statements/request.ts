import { z } from 'zod';
import { digestSchema, nameSchema } from '../../spec/index.js';
import { requestActions } from '../people.js';
import type { PredicateType } from './predicate.js';

const schema = z
  .strictObject({
    action: z.enum(requestActions),
    endpoint: nameSchema,
    /** Id of the run that is started or decided on; absent for what is asked of an endpoint. */
    run: z.string().min(1).max(1000).optional(),
    /** Envelope of the verification summary that the person saw. */
    verification: digestSchema.optional(),
    /** The revision to serve again; the newest one with another model when absent. */
    toRevision: z.int().min(1).optional(),
    reason: z
      .string()
      .max(1000)
      .refine((reason) => reason.trim() !== '', { message: 'expected a reason' }),
    issuedAt: z.iso.datetime(),
    expires: z.iso.datetime(),
    /** Never twice: whoever sees a request could send it again. */
    nonce: z.string().regex(/^[0-9a-f]{32}$/),
  })
  .superRefine(({ action, run, verification, toRevision }, context) => {
    const ofRun = action === 'run' || action === 'approve' || action === 'reject';
    const decides = action === 'approve' || action === 'reject';
    const expectField = (path: string, present: boolean, wanted: boolean) => {
      if (present === wanted) return;
      const message = `expected ${wanted ? 'one' : 'none'} in a request to ${action}`;
      context.addIssue({ code: 'custom', path: [path], message });
    };
    expectField('run', run !== undefined, ofRun);
    expectField('verification', verification !== undefined, decides);
    if (action !== 'rollback') expectField('toRevision', toRevision !== undefined, false);
  });

/**
 * Says of what a run starts from, of a model, or of the revision that is live: a person asks for this, here, now and once. What is
 * asked of an endpoint as such is about the digest of its name.
 */
export const requestPredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/request/v1',
  role: 'request',
  schema,
};

export type Request = z.infer<typeof schema>;
