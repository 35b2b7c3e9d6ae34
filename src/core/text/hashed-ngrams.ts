import type { TextFeatures } from '../spec/index.js';
import { wordsOf } from './words.js';

/**
 * What a model sees of a text: which n-grams of words, and of characters inside words, it holds. Each is hashed to one of
 * the buckets (FNV-1a of its UTF-8 bytes, finished as MurmurHash3 does), and a bucket that is hit is 1 before the vector is
 * divided by its Euclidean length, so that long texts weigh no more than short ones.
 *
 * Depends on nothing but the text and the lengths: training, gates and gateways all call this.
 *
 * Source: Weinberger, Dasgupta, Langford, Smola, Attenberg, "Feature hashing for large scale multitask learning", ICML
 * 2009, without signs, so that inputs stay in [0, 1].
 *
 * @returns one value a bucket, in [0, 1]; all zero for a text without words
 */
export function hashedNgrams(
  text: string,
  { words: wordLengths, characters, buckets }: Pick<TextFeatures, 'words' | 'characters' | 'buckets'>,
): Float32Array {
  const words = wordsOf(text);
  const hit = new Set<number>();
  for (const length of wordLengths) {
    for (let from = 0; from + length <= words.length; from++)
      hit.add(bucketOf(`w ${words.slice(from, from + length).join(' ')}`, buckets));
  }
  for (const word of characters.length > 0 ? words : []) {
    // The ends of a word count as characters, so that a prefix is no infix.
    const letters = [...` ${word} `];
    for (const length of characters) {
      for (let from = 0; from + length <= letters.length; from++)
        hit.add(bucketOf(`c ${letters.slice(from, from + length).join('')}`, buckets));
    }
  }
  const values = new Float32Array(buckets);
  for (const bucket of hit) values[bucket] = 1 / Math.sqrt(hit.size);
  return values;
}

function bucketOf(ngram: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(ngram, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % buckets;
}
