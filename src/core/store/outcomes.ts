import { TransientError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import type { Backend } from './backend.js';
import { hexOf } from './blobs.js';
import { createRecord, readRecord } from './record.js';
import type { Store } from './store.js';

/** The results of work, by the digest of its inputs. The first one recorded stands for ever. */
export function outcomesOn(backend: Backend): Pick<Store, 'recordOutcome' | 'readOutcome'> {
  const keyOf = (digest: Digest) => `outcomes/${hexOf(digest)}`;
  return {
    async recordOutcome(key, outcome) {
      await createRecord(backend, keyOf(key), outcome);
      // Read back even by the winner: every caller gets the same JSON, without what JSON drops on the way.
      const winner = await readRecord(backend, keyOf(key));
      if (!winner)
        throw new TransientError(`expected the outcome of ${key} that was just recorded, got nothing`);
      return winner.content;
    },

    async readOutcome(key) {
      return (await readRecord(backend, keyOf(key)))?.content;
    },
  };
}
