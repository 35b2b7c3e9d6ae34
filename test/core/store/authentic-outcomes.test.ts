import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { authenticOutcomes, digestOfJson, openStore, type Store } from '../../../src/core/store/index.js';

let folder: string;
let store: Store;
let worker: Store;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'authentic-'));
  store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
  worker = authenticOutcomes(store, randomBytes(32));
});
afterEach(() => rm(folder, { recursive: true }));

const key = digestOfJson('train');
/** Watches under which name the worker records in the store below, and what. */
async function recordedBelow(of: typeof key, outcome: unknown) {
  const secret = randomBytes(32);
  const below: { name: typeof key; record: unknown }[] = [];
  const spied = authenticOutcomes(
    {
      ...store,
      recordOutcome: (name, record) => {
        below.push({ name, record });
        return store.recordOutcome(name, record);
      },
    },
    secret,
  );
  await spied.recordOutcome(of, outcome);
  return { spied, secret, ...below[0]! };
}

describe('authentic outcomes', () => {
  it('are read back by every worker with the secret, first one first', async () => {
    expect(await worker.readOutcome(key)).toBeUndefined();
    expect(await worker.recordOutcome(key, { model: 'a', note: undefined })).toEqual({ model: 'a' });
    expect(await worker.recordOutcome(key, { model: 'b' })).toEqual({ model: 'a' });
    expect(await worker.readOutcome(key)).toEqual({ model: 'a' });
  });

  it('are not those that somebody without the secret planted where the work would look without one', async () => {
    await store.recordOutcome(key, { model: 'planted' });
    expect(await worker.readOutcome(key)).toBeUndefined();
    expect(await worker.recordOutcome(key, { model: 'a' })).toEqual({ model: 'a' });
  });

  it('are refused when their content was changed, or when they were moved to other work', async () => {
    const { spied, name, record, secret } = await recordedBelow(key, { model: 'a' });
    const served = (planted: unknown) =>
      authenticOutcomes({ ...store, readOutcome: async () => planted }, secret);

    expect(await served(record).readOutcome(key)).toEqual({ model: 'a' });
    const changed = { ...(record as object), outcome: { model: 'b' } };
    await expect(served(changed).readOutcome(key)).rejects.toMatchObject({ code: 'record-corrupt' });
    await expect(served({ model: 'b' }).readOutcome(key)).rejects.toMatchObject({ code: 'record-corrupt' });
    await expect(served(record).readOutcome(digestOfJson('reproduce'))).rejects.toMatchObject({
      code: 'record-corrupt',
    });
    expect(name).not.toBe(key);
    expect(await spied.readOutcome(key)).toEqual({ model: 'a' });
  });

  it('ask for a secret that cannot be guessed', () => {
    expect(() => authenticOutcomes(store, randomBytes(16))).toThrow('32 bytes');
  });
});
