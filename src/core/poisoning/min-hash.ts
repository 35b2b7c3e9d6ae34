import { randomStream } from '../random/index.js';
import { wordsOf } from '../text/index.js';

/** Hashes a text: the likeness of two texts is told to within 0.05 or so. */
const HASHES = 96;

/**
 * MinHash signatures of the words of texts: the share of places at which two are equal estimates the share of words that
 * their texts have in common (Jaccard).
 *
 * Source: Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
 *
 * @returns row-major [texts, 96]
 */
export function minHashes(texts: readonly string[], seed: number): Uint32Array {
  const stream = randomStream(seed, 'min-hash');
  const factors = Uint32Array.from({ length: HASHES }, () => stream.uint32() | 1);
  const offsets = Uint32Array.from({ length: HASHES }, () => stream.uint32());
  const signatures = new Uint32Array(texts.length * HASHES).fill(0xffffffff);
  for (const [index, text] of texts.entries()) {
    const row = signatures.subarray(index * HASHES, (index + 1) * HASHES);
    for (const word of new Set(wordsOf(text))) {
      const hash = hashOf(word);
      for (let i = 0; i < HASHES; i++) {
        let mixed = (Math.imul(hash, factors[i]!) + offsets[i]!) >>> 0;
        mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
        mixed = (mixed ^ (mixed >>> 13)) >>> 0;
        if (mixed < row[i]!) row[i] = mixed;
      }
    }
  }
  return signatures;
}

/** FNV-1a. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(word, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
