import type { Digest } from '../spec/index.js';
import type { Backend } from './backend.js';
import { hexOf } from './blobs.js';
import type { Store } from './store.js';

/** Which statements speak about an artifact: an empty object for each, whose key says it all. */
export function referrersOn(backend: Backend): Pick<Store, 'attach' | 'referrers'> {
  const folderOf = (subject: Digest) => `referrers/${hexOf(subject)}/`;
  return {
    async attach(subject, envelope) {
      await backend.create(`${folderOf(subject)}${hexOf(envelope)}`, new Uint8Array());
    },

    async referrers(subject) {
      const folder = folderOf(subject);
      const keys = await backend.list(folder, Number.POSITIVE_INFINITY);
      return keys.map((key): Digest => `sha256:${key.slice(folder.length)}`);
    },
  };
}
