import { approvalPredicate } from './approval.js';
import { bomPredicate } from './bom.js';
import { dataPredicate } from './data.js';
import { modelSignaturePredicate } from './model-signature.js';
import type { PredicateType } from './predicate.js';
import { provenancePredicate } from './provenance.js';
import { releasePredicate } from './release.js';
import { requestPredicate } from './request.js';
import { revocationPredicate } from './revocation.js';
import { rowReleasePredicate } from './row-release.js';
import { sourcePredicate } from './source.js';
import { testResultPredicate } from './test-result.js';
import { trustPolicyPredicate } from './trust-policy.js';
import { verificationPredicate } from './verification-summary.js';
import { waiverPredicate } from './waiver.js';

/** Every kind of statement there is. */
export const predicateTypes: readonly PredicateType<unknown>[] = [
  requestPredicate,
  sourcePredicate,
  rowReleasePredicate,
  revocationPredicate,
  dataPredicate,
  modelSignaturePredicate,
  provenancePredicate,
  testResultPredicate,
  verificationPredicate,
  approvalPredicate,
  waiverPredicate,
  releasePredicate,
  bomPredicate,
  trustPolicyPredicate,
];
