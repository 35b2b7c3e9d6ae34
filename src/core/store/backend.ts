/** What an object is made of: bytes in memory, or a stream of them. */
export type Bytes = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Where a store keeps its objects. Everything else (blobs, trees, refs, outcomes, referrers) is built once on these
 * three verbs, so a new backend is one file that passes `storeContract`. There is no overwriting and no deleting:
 * {@link create} is the only way in, and its atomicity is the only thing that refs and outcomes rely on.
 *
 * Keys are relative paths of `[a-z0-9._-]` segments between slashes. No key is ever a folder of another, because
 * neither file systems nor all S3 servers can hold both.
 */
export interface Backend {
  /** The URL that {@link openStore} opens again. */
  readonly url: string;

  /** Opens an object for reading, or gives undefined where there is none. */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;

  /**
   * Creates an object, atomically: of any number of racing callers, in any process, exactly one creates it, and no
   * reader ever sees a part. When the source throws, nothing is created and its error is passed on unchanged.
   */
  create(key: string, source: Bytes): Promise<'created' | 'exists'>;

  /** Keys that begin with a prefix, in the order of their bytes, at most `limit` of them. */
  list(prefix: string, limit: number): Promise<readonly string[]>;
}
