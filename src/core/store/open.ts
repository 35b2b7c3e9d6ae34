import { RefusedError } from '../errors/index.js';
import type { Backend } from './backend.js';
import { blobsOn } from './blobs.js';
import { openFileBackend } from './file-backend.js';
import { findingOn } from './find-digests.js';
import { outcomesOn } from './outcomes.js';
import { referrersOn } from './referrers.js';
import { refsOn } from './refs.js';
import type { Store } from './store.js';
import { treesOn } from './trees.js';

/** One entry a kind of place, by the protocol of its URL. */
const backends: Readonly<Record<string, (url: string) => Promise<Backend>>> = {
  'file:': openFileBackend,
};

/**
 * Opens the store at a URL, creating it when there is none.
 *
 * @param url - `file:///absolute/folder`
 * @throws RefusedError `store-invalid` for a URL that names no store; TransientError when it cannot be reached
 */
export async function openStore(url: string): Promise<Store> {
  const open = URL.canParse(url) ? backends[new URL(url).protocol] : undefined;
  if (!open) {
    throw new RefusedError(
      'store-invalid',
      `expected a store URL such as file:///folder, got ${JSON.stringify(url)}`,
    );
  }
  const backend = await open(url);
  const blobs = blobsOn(backend);
  const { putBlob, readBlob, streamBlob, hasBlob, fetchBlob } = blobs;
  return {
    url: backend.url,
    ...{ putBlob, readBlob, streamBlob, hasBlob, fetchBlob },
    ...treesOn(blobs),
    ...refsOn(backend),
    ...outcomesOn(backend),
    ...referrersOn(backend),
    ...findingOn(backend),
  };
}
