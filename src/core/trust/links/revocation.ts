import type { Digest } from '../../spec/index.js';
import { statementsAbout } from '../data-decisions.js';
import { revocationPredicate } from '../statements/revocation.js';
import type { ChainLink } from '../verification.js';
import { fail, type Inspection } from './inspection.js';

/**
 * Nobody who may has revoked this. A store that withholds a revocation is not seen through here: what must hold against whoever can
 * write to the store belongs into the trust policy, whose successors gateways remember.
 */
export async function expectNoRevocation(
  inspection: Inspection,
  link: ChainLink,
  endpoint: string,
  digest: Digest,
): Promise<void> {
  const { store, policy, now } = inspection;
  for (const { predicate } of await statementsAbout(store, policy, revocationPredicate, digest, {
    now,
    endpoint,
  })) {
    const { person, reason } = predicate;
    fail(
      inspection,
      link,
      'revoked',
      `expected nothing that was revoked, got ${digest}, revoked by ${person}: ${reason}`,
    );
  }
}
