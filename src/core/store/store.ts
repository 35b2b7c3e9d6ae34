import type { Digest } from '../spec/index.js';

/** One file of a tree. */
export interface TreeEntry {
  /** Relative path with forward slashes, sorted by code points, never escaping the folder. */
  readonly path: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** One version of a ref: a pointer that moves by compare-and-set only. */
export interface RefVersion {
  /** 1, 2, 3, …, without gaps: the history of a ref is kept. */
  readonly sequence: number;
  /** Random hex that tells two versions apart even where everything else is equal. */
  readonly nonce: string;
  readonly value: unknown;
}

/** Content-addressed bytes, folders of them, the statements about them, and a few pointers that move. */
export interface Store {
  /** Where it is: `file:///…`. */
  readonly url: string;

  /** Stores bytes (streamed; at no time is a partial blob visible) and returns their digest. */
  putBlob(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<Digest>;
  /**
   * Reads a whole blob, verified.
   *
   * @param atMost - bytes; what is larger is refused before it fills the memory. Default: 2 GiB
   * @throws RefusedError `blob-missing` or `blob-corrupt`
   */
  readBlob(digest: Digest, atMost?: number): Promise<Uint8Array>;
  /** Streams a blob; the iteration throws `blob-corrupt` at its end when the bytes do not match. */
  streamBlob(digest: Digest): AsyncIterable<Uint8Array>;
  hasBlob(digest: Digest): Promise<boolean>;
  /** Writes a verified blob to a file that appears whole or not at all. */
  fetchBlob(digest: Digest, file: string): Promise<void>;

  /** Stores every regular file of a folder; links and special files are refused. */
  putTree(folder: string): Promise<Digest>;
  readTree(digest: Digest): Promise<readonly TreeEntry[]>;
  /** Writes a tree into a folder that appears whole or not at all (it must not exist). */
  fetchTree(digest: Digest, folder: string): Promise<void>;

  /** Newest version of a ref, or undefined. Names are like `endpoints/digits`. */
  readRef(name: string): Promise<RefVersion | undefined>;
  /**
   * Moves a ref from the version the caller saw (undefined: the ref does not exist) to a new value.
   * Of any number of racing callers exactly one wins.
   * @returns the new version, or undefined when another writer was first
   */
  moveRef(name: string, from: RefVersion | undefined, value: unknown): Promise<RefVersion | undefined>;
  /** Every version of a ref, newest first. */
  refHistory(name: string): AsyncIterable<RefVersion>;
  listRefs(prefix: string): Promise<readonly string[]>;

  /**
   * Records the outcome of work named by the digest of its inputs. The first writer wins and every caller gets the
   * winner's record, so a repeated stage never has two outcomes.
   */
  recordOutcome(key: Digest, outcome: unknown): Promise<unknown>;
  readOutcome(key: Digest): Promise<unknown | undefined>;

  /** Files a statement (the digest of its envelope) under the artifact it speaks about. */
  attach(subject: Digest, envelope: Digest): Promise<void>;
  /** The envelopes filed under an artifact, sorted. */
  referrers(subject: Digest): Promise<readonly Digest[]>;

  /**
   * Digests of blobs, and of artifacts under which statements are filed, that begin so; sorted.
   *
   * @param beginning - at least 8 hex digits, `sha256:` before them or not
   * @throws RefusedError `digest-invalid`
   */
  findDigests(beginning: string): Promise<readonly Digest[]>;
}
