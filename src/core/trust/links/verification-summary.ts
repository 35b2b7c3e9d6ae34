import type { Digest } from '../../spec/index.js';
import { digestOfSet } from '../statements/predicate.js';
import {
  gatesPassedLevel,
  gatesWaivedLevel,
  verificationPredicate,
} from '../statements/verification-summary.js';
import type { Evidence } from './evidence.js';
import { expect, type Inspection, openLink } from './inspection.js';

/** Link 7: a verifier looked at exactly the statements of this chain, and was satisfied. */
export async function checkSummary(
  inspection: Inspection,
  { endpoint, model, chain }: Evidence,
  summary: Digest,
  gates: Digest | undefined,
): Promise<void> {
  const about = { endpoint, subject: model };
  const opened = await openLink(inspection, 'verification', verificationPredicate, summary, about);
  if (!opened) return;
  const { inputAttestations, policy, resourceUri, verificationResult, verifiedLevels } = opened.predicate;
  expect(
    inspection,
    'verification',
    resourceUri === uriOf(model),
    'subject-mismatch',
    `expected a summary of ${uriOf(model)}, got one of ${resourceUri}`,
  );
  const level = chain.waivers ? gatesWaivedLevel : gatesPassedLevel;
  expect(
    inspection,
    'verification',
    verificationResult === 'PASSED' && verifiedLevels.includes(level),
    'summary-failed',
    `expected PASSED with ${level}, got ${[verificationResult, ...verifiedLevels].join(', ')}`,
  );
  const expected = inputsOf(chain);
  const got = inputAttestations.map(({ digest }) => digestOfSet(digest)).sort();
  expect(
    inspection,
    'verification',
    got.join() === expected.join(),
    'inputs-mismatch',
    `expected the summary to list ${expected.join(', ')}, got ${got.join(', ') || 'nothing'}`,
  );
  const judgedBy = digestOfSet(policy.digest);
  expect(
    inspection,
    'verification',
    gates === undefined || judgedBy === gates,
    'gates-mismatch',
    `expected a summary under the gates ${gates}, got one under ${judgedBy}`,
  );
}

/** All statements that a summary rests on, sorted. */
export function inputsOf(chain: Evidence['chain']): readonly Digest[] {
  return [chain.data, chain.signature, chain.provenance, ...chain.tests, ...(chain.waivers ?? [])].sort();
}

/** How a summary names an artifact of the store. */
export function uriOf(digest: Digest): string {
  return `urn:${digest}`;
}
