import { createHash } from 'node:crypto';
import { type Counter, type Key, philox4x32 } from './philox.js';

/** A sequence of draws that depends on nothing but its seed and path. */
export interface RandomStream {
  /** A uniform integer in [0, 2³²). */
  uint32(): number;
  /** A uniform number in [0, 1) with 24 random bits, so that it is exact in float32. */
  uniform(): number;
  /** A standard normal draw (Box–Muller). */
  normal(): number;
  /** A uniform integer in [0, bound), without modulo bias; 1 ≤ bound ≤ 2³². */
  integer(bound: number): number;
}

/**
 * Opens the stream of draws named by a seed and a path such as `(seed, sampleId, 'pgd', restart)`. Equal names give
 * equal draws wherever and in whatever order streams are opened; different names give independent ones.
 *
 * @param seed - an integer in [0, 2³²)
 * @param path - what the draws are for: labels and indices, from general to particular
 */
export function randomStream(seed: number, ...path: readonly (string | number)[]): RandomStream {
  const { key, prefix } = deriveKey(seed, path);
  let block = 0;
  let words: Counter = [0, 0, 0, 0];
  let used = 4;
  let spare: number | undefined;

  const uint32 = (): number => {
    if (used === 4) {
      words = philox4x32([block >>> 0, Math.floor(block / 2 ** 32), prefix[0], prefix[1]], key);
      block += 1;
      used = 0;
    }
    return words[used++]!;
  };
  const uniform = (): number => (uint32() >>> 8) / 2 ** 24;

  return {
    uint32,
    uniform,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // 1 - u lies in (0, 1], where the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    integer(bound) {
      const limit = 2 ** 32 - (2 ** 32 % bound);
      let draw = uint32();
      while (draw >= limit) draw = uint32();
      return draw % bound;
    },
  };
}

/** A uniformly random order of 0 … n−1 (Fisher–Yates). */
export function permutation(stream: RandomStream, n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = stream.integer(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

/** The path is hashed with each part's type and length, so that ('a', 'b') and ('ab'), or 1 and '1', never meet. */
export function deriveKey(
  seed: number,
  path: readonly (string | number)[],
): { key: Key; prefix: readonly [number, number] } {
  const hash = createHash('sha256').update(`${seed}`);
  for (const part of path) {
    hash.update(typeof part === 'number' ? `\0n${part}` : `\0s${Buffer.byteLength(part)}:${part}`);
  }
  const digest = hash.digest();
  return {
    key: [digest.readUInt32LE(0), digest.readUInt32LE(4)],
    prefix: [digest.readUInt32LE(8), digest.readUInt32LE(12)],
  };
}
