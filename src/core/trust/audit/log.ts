import { z } from 'zod';
import { RefusedError } from '../../errors/index.js';
import { canonicalJson, digestOfJson, type RefVersion, type Store } from '../../store/index.js';
import { readPublicKey } from '../keys.js';
import type { TrustPolicy } from '../policy.js';
import type { Signer } from '../signers/signer.js';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
import { type AuditEntry, auditEntrySchema } from './entry.js';
import { appended, emptyFrontier, type Frontier, leafHash, rootOfFrontier } from './merkle.js';
import { formatNote, noteSignature, noteSignedBy, parseNote } from './note.js';

/*
 * The log lives in one ref: its n-th version is the n-th entry, with the checkpoint of the tree that ends in it. Creating the
 * next version of a ref is atomic and happens once, so of any number of writers each appends to what all the others did, and
 * one that is killed has either appended or not.
 */

/** The ref of the log. */
export const auditRef = 'audit/log';

/** Bytes: entry bundles of C2SP's tiles give two bytes to a length. */
const largestEntry = 65_535;

const hex = z.string().regex(/^[0-9a-f]{64}$/);

const versionSchema = z.strictObject({
  entry: auditEntrySchema,
  /** Roots of the perfect subtrees, largest first: what it takes to append. */
  peaks: z.array(hex).min(1).max(53),
  /** Signed note. */
  checkpoint: z.string(),
});

/** One entry as it stands in the log. */
export interface LoggedEntry {
  /** From 0. */
  readonly index: number;
  readonly entry: AuditEntry;
  /** The tree that ends with this entry, as its writer signed it. */
  readonly checkpoint: string;
  readonly frontier: Frontier;
}

/** What is hashed of an entry. */
export function entryBytes(entry: AuditEntry): Uint8Array {
  return Buffer.from(canonicalJson(entry));
}

/** The name of a log: it commits to the first entry, so that no two logs share one. */
export function originOf(first: AuditEntry): string {
  return `assay-audit/${Buffer.from(leafHash(entryBytes(first)))
    .toString('hex')
    .slice(0, 32)}`;
}

/** @throws RefusedError `record-corrupt` */
export function readVersion({ sequence, value }: RefVersion): LoggedEntry {
  const { success, data } = versionSchema.safeParse(value);
  if (!success) {
    throw new RefusedError(
      'record-corrupt',
      `expected entry ${sequence - 1} of the audit log, got another record`,
    );
  }
  const peaks = data.peaks.map((peak) => Buffer.from(peak, 'hex'));
  return {
    index: sequence - 1,
    entry: data.entry,
    checkpoint: data.checkpoint,
    frontier: { size: sequence, peaks },
  };
}

/** Whether a checkpoint is one of this log, signed by a key that may, and of this tree. */
export function checkpointHolds(
  checkpoint: string,
  expected: Checkpoint,
  { keys }: Pick<TrustPolicy, 'keys'>,
): boolean {
  try {
    const note = parseNote(checkpoint);
    return (
      formatCheckpoint(parseCheckpoint(note.text)) === formatCheckpoint(expected) &&
      keys
        .filter(({ roles }) => roles.includes('audit'))
        .some(({ publicKey }) => noteSignedBy(note, expected.origin, readPublicKey(publicKey)))
    );
  } catch (error) {
    if (error instanceof RefusedError) return false;
    throw error;
  }
}

/** How an append is to treat what stands in the log. */
export type Predecessor = 'believed' | 'taken-over';

/**
 * Appends a decision, once: asked again for an equal entry after a fault, it finds what it did before.
 *
 * @param after - `believed`: the newest checkpoint must be signed by a key of the policy with the role `audit`, or else what
 * somebody put into the log would be signed along. `taken-over`: whoever asks has looked at the log
 * @returns the index of the entry
 * @throws RefusedError `log-unverified`, or `usage` for an entry that is too large
 */
export async function appendDecision(
  store: Store,
  signer: Signer,
  policy: TrustPolicy,
  entry: AuditEntry,
  after: Predecessor = 'believed',
): Promise<number> {
  const wanted = auditEntrySchema.parse(entry);
  const bytes = entryBytes(wanted);
  if (bytes.length > largestEntry) {
    throw new RefusedError(
      'usage',
      `expected an audit entry of at most ${largestEntry} bytes, got ${bytes.length}`,
    );
  }
  const from = await firstLook(store, wanted);
  for (;;) {
    const head = await store.readRef(auditRef);
    const before = await appendedSince(store, bytes, from);
    if (before !== undefined) return before;
    const last = head && readVersion(head);
    const origin = last ? originIn(last) : originOf(wanted);
    if (last && after === 'believed') requireBelieved(last, origin, policy);
    const frontier = appended(last?.frontier ?? emptyFrontier, leafHash(bytes));
    const text = formatCheckpoint({ origin, size: frontier.size, root: rootOfFrontier(frontier) });
    const checkpoint = formatNote({ text, signatures: [await noteSignature(signer, origin, text)] });
    const peaks = frontier.peaks.map((peak) => Buffer.from(peak).toString('hex'));
    if (await store.moveRef(auditRef, head, { entry: wanted, peaks, checkpoint })) return frontier.size - 1;
  }
}

/**
 * How long the log was when somebody first set out to append this entry. That is recorded once, so that whoever tries again
 * need not look through all of the log for what was done already.
 */
async function firstLook(store: Store, entry: AuditEntry): Promise<number> {
  const size = (await store.readRef(auditRef))?.sequence ?? 0;
  const recorded = await store.recordOutcome(digestOfJson({ audit: entry }), { size });
  const { success, data } = z.strictObject({ size: z.int().min(0) }).safeParse(recorded);
  return success ? Math.min(data.size, size) : 0;
}

async function appendedSince(store: Store, bytes: Uint8Array, size: number): Promise<number | undefined> {
  for await (const version of store.refHistory(auditRef)) {
    if (version.sequence <= size) return undefined;
    const { index, entry } = readVersion(version);
    if (Buffer.compare(entryBytes(entry), bytes) === 0) return index;
  }
  return undefined;
}

/** The name that a log goes by; whoever believes the checkpoint believes it. */
function originIn({ checkpoint }: LoggedEntry): string {
  return parseCheckpoint(parseNote(checkpoint).text).origin;
}

function requireBelieved({ checkpoint, frontier }: LoggedEntry, origin: string, policy: TrustPolicy): void {
  const expected = { origin, size: frontier.size, root: rootOfFrontier(frontier) };
  if (checkpointHolds(checkpoint, expected, policy)) return;
  throw new RefusedError(
    'log-unverified',
    `expected a checkpoint of ${frontier.size} entries signed by a key with the role audit, got another`,
  );
}

/** Every entry, oldest first. */
export async function readLog(store: Store): Promise<readonly LoggedEntry[]> {
  const entries: LoggedEntry[] = [];
  for await (const version of store.refHistory(auditRef)) entries.push(readVersion(version));
  return entries.reverse();
}
