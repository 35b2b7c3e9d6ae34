import { philoxInto } from './philox.js';
import { deriveKey } from './stream.js';

/** An endless row of independent standard normal draws, any part of which can be had alone. */
export interface NormalField {
  /** Writes the draws from number `from` on. */
  fill(target: Float64Array, from: number): void;
}

/**
 * Opens the normal draws named by a seed and a path, as `randomStream` does with other draws: by the Box–Muller transform of
 * uniforms of 53 bits, many millions a second.
 *
 * The uniforms are fine because what is made of the draws is proved over *real* normal noise: after coarse ones, the low bits
 * of a sum with the noise tell a classifier where the noise began (Voráček, Hein, "Sound randomized smoothing in
 * floating-point arithmetics", ICLR 2023).
 *
 * @param seed - an integer in [0, 2³²)
 * @param path - what the draws are for: labels and indices, from general to particular
 */
export function normalField(seed: number, ...path: readonly (string | number)[]): NormalField {
  const { key, prefix } = deriveKey(seed, path);
  const words = new Uint32Array(4);
  return {
    fill(target, from) {
      const to = from + target.length;
      for (let first = from - (from % 2); first < to; first += 2) {
        const pair = first / 2;
        philoxInto(words, pair >>> 0, Math.floor(pair / 2 ** 32), prefix[0], prefix[1], key[0], key[1]);
        // 1 − u lies in (0, 1], where the logarithm is finite.
        const radius = Math.sqrt(-2 * Math.log(1 - uniform53(words[0]!, words[1]!)));
        const angle = 2 * Math.PI * uniform53(words[2]!, words[3]!);
        if (first >= from) target[first - from] = radius * Math.cos(angle);
        if (first + 1 < to) target[first + 1 - from] = radius * Math.sin(angle);
      }
    },
  };
}

/** In [0, 1). */
function uniform53(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}
