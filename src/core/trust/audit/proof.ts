import { RefusedError } from '../../errors/index.js';
import type { TrustPolicy } from '../policy.js';
import { parseCheckpoint } from './checkpoint.js';
import type { AuditEntry } from './entry.js';
import { checkpointHolds, entryBytes, type LoggedEntry } from './log.js';
import { includes, inclusionProof, leafHash } from './merkle.js';
import { parseNote } from './note.js';

const header = 'c2sp.org/tlog-proof@v1';

/**
 * Proves to somebody who has nothing else of the log that an entry is in it (c2sp.org/tlog-proof).
 *
 * @throws RefusedError `not-found`
 */
export function proveEntry(entries: readonly LoggedEntry[], index: number): string {
  const newest = entries.at(-1);
  if (!newest || !entries[index]) {
    throw new RefusedError('not-found', `expected an index below ${entries.length}, got ${index}`);
  }
  const leaves = entries.map(({ entry }) => leafHash(entryBytes(entry)));
  const hashes = inclusionProof(leaves, index).map((hash) => Buffer.from(hash).toString('base64'));
  return [header, `index ${index}`, ...hashes, '', newest.checkpoint].join('\n');
}

/** Whether a proof shows that an entry is in a log whose checkpoint is signed by a key of the policy with the role `audit`. */
export function proofHolds(proof: string, entry: AuditEntry, policy: TrustPolicy): boolean {
  const end = proof.indexOf('\n\n');
  const [first, second, ...hashes] = proof.slice(0, end).split('\n');
  const [, index] = /^index (0|[1-9]\d{0,15})$/.exec(second ?? '') ?? [];
  if (first !== header || index === undefined) return false;
  const path = hashes.map((hash) => Buffer.from(hash, 'base64'));
  if (path.some((hash, at) => hash.length !== 32 || hash.toString('base64') !== hashes[at])) return false;
  const checkpoint = proof.slice(end + 2);
  try {
    const tree = parseCheckpoint(parseNote(checkpoint).text);
    return (
      checkpointHolds(checkpoint, tree, policy) &&
      includes(tree, leafHash(entryBytes(entry)), Number(index), path)
    );
  } catch (error) {
    if (error instanceof RefusedError) return false;
    throw error;
  }
}
