import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inputRange, type SnapshotManifest } from '../data/index.js';
import type { Digest } from '../spec/index.js';
import { canonicalJson, digestOf, type Store } from '../store/index.js';
import { examplePictures } from './pictures/example-pictures.js';
import { decodeFloats, keptExamples, type StoredExample } from './shard.js';

/**
 * Keeps the first adversarial examples of a draw: for each a folder of the bytes that the client would have sent and those
 * that the adversary sends, and pictures of both and of their difference where the samples are pictures.
 *
 * @returns the tree; undefined where nothing was broken
 */
export async function keepExamples(
  store: Store,
  examples: readonly StoredExample[],
  manifest: SnapshotManifest,
): Promise<Digest | undefined> {
  const kept = examples.slice(0, keptExamples);
  if (kept.length === 0) return undefined;
  const look = { shape: manifest.shape, ...inputRange(manifest) };
  const root = await mkdtemp(path.join(tmpdir(), 'assay-examples-'));
  try {
    for (const { id, attack, prediction, original, adversarial } of kept) {
      // Ids come from data, and folders are not named by data.
      const folder = path.join(root, digestOf(id).slice('sha256:'.length, 'sha256:'.length + 16));
      await mkdir(folder);
      const put = (name: string, bytes: Uint8Array | string) =>
        writeFile(path.join(folder, name), bytes, { flag: 'wx' });
      await put('example.json', canonicalJson({ id, attack, prediction }));
      await put('original.f32', Buffer.from(original, 'base64'));
      await put('adversarial.f32', Buffer.from(adversarial, 'base64'));
      const pictures = examplePictures(decodeFloats(original), decodeFloats(adversarial), look);
      for (const [name, png] of Object.entries(pictures ?? {})) await put(`${name}.png`, png as Uint8Array);
    }
    return await store.putTree(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
