import { RefusedError } from '../../errors/index.js';
import type { Digest } from '../../spec/index.js';
import type { Store } from '../../store/index.js';
import { readBytes } from '../links/inspection.js';
import type { TrustPolicy } from '../policy.js';
import { showArtifact } from '../show/show-artifact.js';
import { readStatement } from '../statement.js';
import { type Bom, bomPredicate } from '../statements/bom.js';

/**
 * The newest bill of materials of a model or release that verifies.
 *
 * @throws RefusedError `not-found` when there is none
 */
export async function readBom(store: Store, policy: TrustPolicy, digest: Digest, now: Date): Promise<Bom> {
  const { statements } = await showArtifact(store, policy, digest, now);
  const [newest] = statements
    .filter(({ type, verified }) => verified && type === bomPredicate.type)
    .sort((a, b) => (a.at! < b.at! ? 1 : -1));
  if (!newest)
    throw new RefusedError('not-found', `The store holds no bill of materials of ${digest} that verifies.`);
  return bomPredicate.schema.parse(
    readStatement(await readBytes(store, newest.envelope), policy, now).predicate,
  );
}
