import { RefusedError } from '../../errors/index.js';
import type { Digest } from '../../spec/index.js';
import type { Store } from '../../store/index.js';
import type { TrustPolicy } from '../policy.js';
import { readStatement } from '../statement.js';
import { digestOfSet } from '../statements/predicate.js';
import { releasePredicate } from '../statements/release.js';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
import { cosignedAt, type Witness } from './cosignature.js';
import type { AuditEntry } from './entry.js';
import { checkpointHolds, entryBytes, type LoggedEntry, originOf, readLog } from './log.js';
import { appended, emptyFrontier, leafHash, rootOfFrontier } from './merkle.js';
import { type Note, parseNote } from './note.js';

export type LogFailureCode =
  /** The tree of this entry is not that of the entries before and this one. */
  | 'tree-mismatch'
  /** The newest checkpoint is not signed by a key of the policy with the role `audit`. */
  | 'checkpoint-unsigned'
  /** A checkpoint that was seen before is not of a beginning of this log: it was cut or written anew. */
  | 'history-rewritten'
  /** A statement that an entry names is missing, or says otherwise. */
  | 'statement-mismatch'
  /** A revision was published that the log does not tell of. */
  | 'release-unlogged'
  /** The log is not to be read at all. */
  | 'record-corrupt';

export interface LogFailure {
  readonly code: LogFailureCode;
  /** From 0; absent for what is about the log as a whole. */
  readonly index?: number;
  readonly message: string;
}

/** What somebody knows of a log already. */
export interface KnownOfLog {
  /** Signed checkpoints that were seen before: each must be of a beginning of the log. */
  readonly checkpoints?: readonly string[];
  /** Only what these cosigned is taken for seen. */
  readonly witnesses?: readonly Witness[];
  /** What is published: endpoint, revision and envelope. */
  readonly published?: readonly {
    readonly endpoint: string;
    readonly revision: number;
    readonly release: Digest;
  }[];
}

export interface LogVerification {
  readonly entries: readonly LoggedEntry[];
  /** Empty for a log that holds. */
  readonly failures: readonly LogFailure[];
}

/** Takes every hash of the log again and says everything that is wrong with it. An empty log holds. */
export async function verifyLog(
  store: Store,
  policy: TrustPolicy,
  known: KnownOfLog = {},
): Promise<LogVerification> {
  const failures: LogFailure[] = [];
  let entries: readonly LoggedEntry[];
  try {
    entries = await readLog(store);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { entries: [], failures: [{ code: 'record-corrupt', message: error.message }] };
  }
  const trees = checkTrees(entries, failures);
  checkNewest(entries, trees, policy, failures);
  checkSeen(trees, known, policy, failures);
  for (const logged of entries) {
    const message = await statementProblem(store, policy, logged.entry);
    if (message) failures.push({ code: 'statement-mismatch', index: logged.index, message });
  }
  checkPublished(entries, known.published ?? [], failures);
  return { entries, failures };
}

/** @returns the tree after each entry, as its hashes say */
function checkTrees(entries: readonly LoggedEntry[], failures: LogFailure[]): readonly Checkpoint[] {
  if (!entries[0]) return [];
  const origin = originOf(entries[0].entry);
  let frontier = emptyFrontier;
  return entries.map(({ index, entry, checkpoint }) => {
    frontier = appended(frontier, leafHash(entryBytes(entry)));
    const tree = { origin, size: frontier.size, root: rootOfFrontier(frontier) };
    if (textOf(checkpoint) !== formatCheckpoint(tree)) {
      const message = `expected the checkpoint of entry ${index} to be of the entries up to it, got another`;
      failures.push({ code: 'tree-mismatch', index, message });
    }
    return tree;
  });
}

function checkNewest(
  entries: readonly LoggedEntry[],
  trees: readonly Checkpoint[],
  policy: TrustPolicy,
  failures: LogFailure[],
): void {
  const [newest, tree] = [entries.at(-1), trees.at(-1)];
  if (!newest || !tree || checkpointHolds(newest.checkpoint, tree, policy)) return;
  const message = 'expected the newest checkpoint signed by a key of the trust policy with the role audit';
  failures.push({ code: 'checkpoint-unsigned', message });
}

/** A log that lost its end, or was written anew, is well formed: only who saw more of it can tell. */
function checkSeen(
  trees: readonly Checkpoint[],
  { checkpoints = [], witnesses }: KnownOfLog,
  policy: TrustPolicy,
  failures: LogFailure[],
): void {
  for (const content of checkpoints) {
    const note = parseNote(content);
    const seen = parseCheckpoint(note.text);
    const believed = witnesses
      ? witnesses.some((witness) => cosignedAt(note, witness) !== undefined)
      : checkpointHolds(content, seen, policy);
    if (!believed)
      throw new RefusedError(
        'note-invalid',
        `expected a checkpoint by ${witnesses ? 'a witness' : 'the log'}`,
      );
    const tree = trees[seen.size - 1];
    if (seen.size === 0 || (tree && formatCheckpoint(tree) === note.text)) continue;
    const message = `expected a log that begins with the ${seen.size} entries that were seen before, got ${trees.length} entries, others among them`;
    failures.push({ code: 'history-rewritten', message });
  }
}

/** What is wrong with the statement that an entry names, if anything. Statements of keys that are gone are not opened. */
async function statementProblem(
  store: Store,
  policy: TrustPolicy,
  { statement, subject, endpoint, revision, at }: AuditEntry,
): Promise<string | undefined> {
  if (!statement) return undefined;
  if (!(await store.hasBlob(statement))) return `expected the statement ${statement} in the store, got none`;
  try {
    const opened = readStatement(await store.readBlob(statement), policy, new Date(at));
    const about = digestOfSet(opened.subject.digest);
    if (subject && about !== subject) return `expected a statement about ${subject}, got one about ${about}`;
    if (opened.type.type !== releasePredicate.type) return undefined;
    const record = releasePredicate.schema.parse(opened.predicate);
    return record.endpoint === endpoint && record.revision === revision
      ? undefined
      : `expected revision ${revision} of ${endpoint}, got ${record.revision} of ${record.endpoint}`;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const gone =
      error.code === 'key-unknown' || error.code === 'key-not-allowed' || error.code === 'identity-unknown';
    return gone ? undefined : error.message;
  }
}

/** Revisions from before the log began are none of its business. */
function checkPublished(
  entries: readonly LoggedEntry[],
  published: NonNullable<KnownOfLog['published']>,
  failures: LogFailure[],
): void {
  const logged = new Set(entries.map(({ entry }) => entry.statement));
  const first = new Map<string, number>();
  for (const { entry } of entries) {
    if (entry.endpoint && entry.revision && !first.has(entry.endpoint))
      first.set(entry.endpoint, entry.revision);
  }
  for (const { endpoint, revision, release } of published) {
    if (logged.has(release) || revision < (first.get(endpoint) ?? Number.POSITIVE_INFINITY)) continue;
    const message = `expected an entry for revision ${revision} of ${endpoint}, which is published, got none`;
    failures.push({ code: 'release-unlogged', message });
  }
}

function textOf(checkpoint: string): string | undefined {
  let note: Note;
  try {
    note = parseNote(checkpoint);
  } catch {
    return undefined;
  }
  return note.text;
}
