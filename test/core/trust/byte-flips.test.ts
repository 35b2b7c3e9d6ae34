import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomStream } from '../../../src/core/random/index.js';
import type { Digest } from '../../../src/core/spec/index.js';
import { canonicalJson, digestOf, type Store } from '../../../src/core/store/index.js';
import { verifyRelease } from '../../../src/core/trust/index.js';
import { buildChain, type ChainFixture, gates, removeChain } from './chain-fixture.js';

let honest: ChainFixture;
/** Every blob that a verifier reads: the release, the chain, the list of gates, the tree and its files. */
let blobs: readonly Digest[];
beforeAll(async () => {
  honest = await buildChain();
  const { store, model, chain, release } = honest;
  const files = (await store.readTree(model)).map(({ digest }) => digest);
  const { data, signature, provenance, tests, verification } = chain;
  blobs = [
    ...[release, data, signature, provenance, ...tests, verification, model, ...files],
    digestOf(canonicalJson(gates)),
  ];
});
afterAll(() => removeChain(honest));

/** The flips are the same in every run: which byte of which blob becomes which other byte. */
function flips(name: string, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const stream = randomStream(4, name, index);
    const digest = blobs[stream.integer(blobs.length)]!;
    return {
      digest,
      flip(bytes: Uint8Array): Uint8Array {
        const flipped = Buffer.from(bytes);
        flipped[stream.integer(flipped.length)]! ^= 1 + stream.integer(255);
        return flipped;
      },
    };
  });
}

/** Where a store keeps what is its own affair: its files are found by what is in them. */
async function filesByDigest(folder: string): Promise<ReadonlyMap<Digest, string>> {
  const found = new Map<Digest, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(digestOf(await readFile(file)), file);
  }
  return found;
}

describe('one changed byte', () => {
  it('on the disk under the store is never accepted, wherever it lies (800 times)', async () => {
    const places = await filesByDigest(path.join(honest.folder, 'store'));
    let accepted = 0;
    for (const { digest, flip } of flips('disk', 800)) {
      const file = places.get(digest)!;
      const whole = await readFile(file);
      await chmod(file, 0o600);
      await writeFile(file, flip(whole));
      if ((await verifyRelease(honest.store, honest.policy, honest.release)).ok) accepted += 1;
      await writeFile(file, whole);
    }
    expect(accepted).toBe(0);
    // The flips were undone, so it was they that were refused.
    expect((await verifyRelease(honest.store, honest.policy, honest.release)).ok).toBe(true);
  });

  it('is never accepted from a store that checks nothing itself (400 times)', async () => {
    let accepted = 0;
    for (const { digest, flip } of flips('store', 400)) {
      // The tree is read by the store alone: the test above covers it.
      if (digest === honest.model) continue;
      const careless: Store = {
        ...honest.store,
        readBlob: async (wanted) => {
          const bytes = await honest.store.readBlob(wanted);
          return wanted === digest ? flip(bytes) : bytes;
        },
      };
      if ((await verifyRelease(careless, honest.policy, honest.release)).ok) accepted += 1;
    }
    expect(accepted).toBe(0);
  });
});
