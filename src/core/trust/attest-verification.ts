import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';
import { attest } from './attest.js';
import { checkEvidence } from './links/check-evidence.js';
import type { Evidence } from './links/evidence.js';
import type { Inspection } from './links/inspection.js';
import { inputsOf, uriOf } from './links/verification-summary.js';
import type { TrustPolicy } from './policy.js';
import type { Signer } from './signers/signer.js';
import { digestSetOf } from './statements/predicate.js';
import {
  gatesPassedLevel,
  gatesWaivedLevel,
  verificationPredicate,
} from './statements/verification-summary.js';

/**
 * Verifies all the evidence for a model and signs a summary of it (SLSA VSA), which lists every statement it rests on.
 *
 * @param verifier - URI of whoever verifies, in whose name the summary speaks
 * @returns digest of the summary's bundle; signing twice gives two, so callers memoise through `store.recordOutcome`
 * @throws RefusedError `chain-unverified` with every broken link as a detail; TransientError when the store fails
 */
export async function attestVerification(
  store: Store,
  signer: Signer,
  policy: TrustPolicy,
  evidence: Evidence,
  verifier: string,
  now: Date,
): Promise<Digest> {
  const inspection: Inspection = { store, policy, now, failures: [], signers: new Set() };
  const { gates } = await checkEvidence(inspection, evidence);
  const details = inspection.failures.map(({ link, code, message }) => `${link}: ${code}: ${message}`);
  if (details.length > 0 || !gates) {
    const rest = details.length > 1 ? `, and ${details.length - 1} more` : '';
    throw new RefusedError(
      'chain-unverified',
      `expected a chain that holds, got ${details[0]}${rest}`,
      details,
    );
  }
  const resource = (digest: Digest) => ({ uri: uriOf(digest), digest: digestSetOf(digest) });
  return attest(store, signer, verificationPredicate, 'model', evidence.model, {
    verifier: { id: verifier },
    timeVerified: now.toISOString(),
    resourceUri: uriOf(evidence.model),
    policy: resource(gates),
    inputAttestations: inputsOf(evidence.chain).map(resource),
    verificationResult: 'PASSED',
    verifiedLevels: [evidence.chain.waivers ? gatesWaivedLevel : gatesPassedLevel],
  });
}
