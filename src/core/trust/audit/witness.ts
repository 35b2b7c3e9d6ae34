import type { KeyObject } from 'node:crypto';
import { RefusedError } from '../../errors/index.js';
import type { TrustPolicy } from '../policy.js';
import { parseCheckpoint } from './checkpoint.js';
import { cosign, type Witness } from './cosignature.js';
import { checkpointHolds, entryBytes, type LoggedEntry } from './log.js';
import { consistencyProof, isBeginningOf, leafHash, rootOf } from './merkle.js';
import { formatNote, parseNote } from './note.js';

/**
 * What a witness does: it cosigns the newest checkpoint, if that is signed by the log and goes on from the last one that the
 * witness cosigned.
 *
 * @param cosigned - what this witness returned last; undefined for its first time
 * @returns the cosigned checkpoint
 * @throws RefusedError `log-unverified`
 */
export function witnessLog(
  entries: readonly LoggedEntry[],
  policy: TrustPolicy,
  cosigned: string | undefined,
  witness: Witness,
  privateKey: KeyObject,
  now: Date,
): string {
  const newest = entries.at(-1);
  if (!newest) throw new RefusedError('log-unverified', 'expected a log with entries, got none');
  const note = parseNote(newest.checkpoint);
  const tree = parseCheckpoint(note.text);
  if (!checkpointHolds(newest.checkpoint, tree, policy)) {
    throw new RefusedError(
      'log-unverified',
      'expected a checkpoint signed by a key with the role audit, got another',
    );
  }
  const leaves = entries.slice(0, tree.size).map(({ entry }) => leafHash(entryBytes(entry)));
  // The root is taken over what is in the log, so that nobody cosigns a tree whose leaves cannot be had.
  const whole = leaves.length === tree.size && Buffer.compare(rootOf(leaves), tree.root) === 0;
  const last = cosigned === undefined ? undefined : parseCheckpoint(parseNote(cosigned).text);
  const goesOn =
    !last ||
    (last.origin === tree.origin &&
      last.size <= tree.size &&
      isBeginningOf(last, tree, last.size === 0 ? [] : consistencyProof(leaves, last.size)));
  if (!whole || !goesOn) {
    throw new RefusedError(
      'log-unverified',
      `expected a log that goes on from its ${last?.size ?? 0} entries that were cosigned before, got another history`,
    );
  }
  return formatNote({
    text: note.text,
    signatures: [...note.signatures, cosign(note.text, witness, privateKey, now)],
  });
}
