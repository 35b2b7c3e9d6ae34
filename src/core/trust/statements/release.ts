import type { z } from 'zod';
import { releaseRecordSchema } from '../../spec/index.js';
import type { PredicateType } from './predicate.js';

/** A revision that contradicts itself is no revision. */
const schema = releaseRecordSchema.superRefine((record, context) => {
  const complain = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message });
  if ((record.revision === 1) !== (record.previous === null)) {
    complain('previous', 'expected null for revision 1, and the envelope before for any other');
  }
  if ((record.kind === 'rollback') !== (record.restores !== undefined)) {
    complain('restores', 'expected it for a rollback, and for nothing else');
  }
  if (record.restores !== undefined && record.restores >= record.revision) {
    complain('restores', `expected a revision before ${record.revision}, got ${record.restores}`);
  }
});

/** Says of a model: this endpoint serves it from this revision on. */
export const releasePredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://assay.dev/attestation/release/v1',
  role: 'release',
  schema,
};
