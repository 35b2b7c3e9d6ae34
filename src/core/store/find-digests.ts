import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import type { Backend } from './backend.js';
import type { Store } from './store.js';

/** So many are listed before a beginning counts as hopelessly short. */
const MOST_CANDIDATES = 100;

/** Artifacts by the beginning of their digest: blobs, and what statements were filed under without being a blob here. */
export function findingOn(backend: Backend): Pick<Store, 'findDigests'> {
  return {
    async findDigests(beginning) {
      const [, hex] = /^(?:sha256:)?([0-9a-f]{8,64})$/.exec(beginning) ?? [];
      if (hex === undefined) {
        throw new RefusedError(
          'digest-invalid',
          `expected sha256: and at least 8 lower-case hex digits, got ${JSON.stringify(beginning.slice(0, 100))}`,
        );
      }
      const blobs = await backend.list(`blobs/${hex.slice(0, 2)}/${hex}`, MOST_CANDIDATES);
      const subjects = await backend.list(`referrers/${hex}`, Number.POSITIVE_INFINITY);
      const found = [
        ...blobs.map((key) => key.slice('blobs/xx/'.length)),
        ...subjects.map((key) => key.slice('referrers/'.length).split('/')[0]!),
      ];
      return [...new Set(found)].sort().map((name): Digest => `sha256:${name}`);
    },
  };
}
