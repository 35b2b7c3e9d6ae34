import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import { canonicalJson } from './digest.js';
import type { Store } from './store.js';

const sealedSchema = z.strictObject({ outcome: z.json(), mac: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * The same store, for workers who share a secret: what they record as the outcome of work, nobody without it can forge.
 * Otherwise whoever may write to the store could plant the "outcome" of a training, twice, and have a model of their
 * choice signed. Outcomes stand under a keyed name, which nobody else can foresee and occupy, and carry a MAC over that
 * of the work and their content (HMAC-SHA256, RFC 2104).
 *
 * @param secret - at least 32 bytes, the same on every worker; with another one, recorded work is done again
 */
export function authenticOutcomes(store: Store, secret: Uint8Array): Store {
  if (secret.length < 32)
    throw new RefusedError('key-invalid', `expected a secret of 32 bytes, got ${secret.length}`);
  const mac = (purpose: 'name' | 'outcome', text: string) =>
    createHmac('sha256', secret).update(`${purpose}\0${text}`).digest();
  const nameOf = (key: Digest): Digest => `sha256:${mac('name', key).toString('hex')}`;
  const macOf = (key: Digest, outcome: unknown) => mac('outcome', `${key}\0${canonicalJson(outcome)}`);

  const open = (key: Digest, record: unknown): unknown => {
    const sealed = sealedSchema.safeParse(record);
    if (
      sealed.success &&
      timingSafeEqual(Buffer.from(sealed.data.mac, 'hex'), macOf(key, sealed.data.outcome))
    ) {
      return sealed.data.outcome;
    }
    throw new RefusedError(
      'record-corrupt',
      `expected the outcome of ${key} as a worker recorded it, got another record`,
    );
  };

  return {
    ...store,
    async recordOutcome(key, outcome) {
      // Sealed as JSON keeps it: a field that is undefined would be in the MAC and not in the record.
      const kept: unknown = JSON.parse(JSON.stringify(outcome));
      const record = { outcome: kept, mac: macOf(key, kept).toString('hex') };
      return open(key, await store.recordOutcome(nameOf(key), record));
    },
    async readOutcome(key) {
      const record = await store.readOutcome(nameOf(key));
      return record === undefined ? undefined : open(key, record);
    },
  };
}
