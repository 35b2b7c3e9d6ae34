import { type SnapshotManifest, snapshotManifestSchema } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import type { Store } from '../store/index.js';

/**
 * Reads what a snapshot says of itself, without its rows.
 *
 * @throws RefusedError `snapshot-invalid` when it has no manifest; `blob-missing` or `blob-corrupt` from the store
 */
export async function readManifestBlob(store: Store, snapshot: Digest): Promise<SnapshotManifest> {
  const entry = (await store.readTree(snapshot)).find(({ path }) => path === 'snapshot.json');
  if (!entry) throw new RefusedError('snapshot-invalid', `expected snapshot.json in ${snapshot}, got none`);
  const text = new TextDecoder().decode(await store.readBlob(entry.digest));
  return snapshotManifestSchema.parse(JSON.parse(text));
}
