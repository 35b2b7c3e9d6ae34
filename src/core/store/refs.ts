import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import type { Backend } from './backend.js';
import { createRecord, readRecord } from './record.js';
import type { RefVersion, Store } from './store.js';

const SEGMENT = '[a-z0-9]([a-z0-9.-]*[a-z0-9])?';
const NAME = new RegExp(`^${SEGMENT}(/${SEGMENT})*$`);
const MAXIMUM_LENGTH = 200;

const versionSchema = z.strictObject({
  sequence: z.int().min(1),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  value: z.unknown(),
});

type Refs = Pick<Store, 'readRef' | 'moveRef' | 'refHistory' | 'listRefs'>;

/**
 * Pointers that move by compare-and-set, on a backend that can only create.
 *
 * Every version is an object of its own, `refs/NAME/KEY`. To move a ref from version *n* is to create version *n* + 1,
 * and since creating is atomic and never overwrites, exactly one of any number of racing writers does it. Nothing is
 * replaced, so the history is kept for free, and there is no ETag to be fooled: where a compare-and-set compares
 * contents (an S3 ETag is the MD5 of the body), a writer that slept while the ref went A → B → A would move it from an
 * A it never saw.
 *
 * KEY counts down from 2⁵³ − 1, zero-padded, so that the newest version is the first key listed.
 *
 * The *sequence* orders versions and leaves no gaps. The *nonce* tells apart versions that are equal otherwise: a
 * caller's `from` is compared by it, which matters when a store was restored from a backup and counted up again; and a
 * writer whose connection broke after the object was created recognises its own work by it.
 */
export function refsOn(backend: Backend): Refs {
  async function readVersion(name: string, key: string): Promise<RefVersion | undefined> {
    const record = await readRecord(backend, key);
    if (!record) return undefined;
    const { success, data } = versionSchema.safeParse(record.content);
    if (!success || versionKey(name, data.sequence) !== key) {
      throw new RefusedError(
        'record-corrupt',
        `expected a version of ref ${name} at ${key}, got another record`,
      );
    }
    return data;
  }

  async function readRef(name: string): Promise<RefVersion | undefined> {
    const [newest] = await backend.list(versionFolder(name), 1);
    return newest === undefined ? undefined : readVersion(name, newest);
  }

  return {
    readRef,

    async moveRef(name, from, value) {
      const version: RefVersion = {
        sequence: (from?.sequence ?? 0) + 1,
        nonce: randomBytes(16).toString('hex'),
        value,
      };
      const key = versionKey(name, version.sequence);
      // Without this look, a `from` that never was would leave a gap in the history.
      if (from && (await readVersion(name, versionKey(name, from.sequence)))?.nonce !== from.nonce)
        return undefined;
      if ((await createRecord(backend, key, version)) === 'created') return version;
      return (await readVersion(name, key))?.nonce === version.nonce ? version : undefined;
    },

    async *refHistory(name) {
      for (let version = await readRef(name); version; ) {
        yield version;
        if (version.sequence === 1) return;
        const key = versionKey(name, version.sequence - 1);
        version = await readVersion(name, key);
        if (!version)
          throw new RefusedError(
            'record-corrupt',
            `expected a version of ref ${name} at ${key}, got nothing`,
          );
      }
    },

    async listRefs(prefix) {
      if (!/^[a-z0-9./-]*$/.test(prefix)) throw invalidName(prefix);
      const keys = await backend.list(`refs/${encodeName(prefix)}`, Number.POSITIVE_INFINITY);
      const names = keys.map((key) => key.slice('refs/'.length, key.lastIndexOf('/')).replaceAll('_', '/'));
      return [...new Set(names)].sort();
    },
  };
}

/** A name is one folder, so that ref `a` and ref `a/1` do not meet. `_` is in no name. */
const encodeName = (name: string): string => name.replaceAll('/', '_');

function versionFolder(name: string): string {
  if (name.length > MAXIMUM_LENGTH || !NAME.test(name)) throw invalidName(name);
  return `refs/${encodeName(name)}/`;
}

function versionKey(name: string, sequence: number): string {
  return `${versionFolder(name)}${String(Number.MAX_SAFE_INTEGER - sequence).padStart(16, '0')}`;
}

function invalidName(name: string): RefusedError {
  return new RefusedError(
    'ref-invalid',
    `expected lower-case letters, digits, inner dots and dashes between slashes, got ${JSON.stringify(name.slice(0, 100))}`,
  );
}
