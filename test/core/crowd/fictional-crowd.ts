import type { Votes } from '../../../src/core/crowd/index.js';
import { randomStream } from '../../../src/core/random/index.js';

/** A crowd whose truth is known: batches of 30 items of two classes, each rated by people of its own. */
export function fictionalCrowd(
  seed: number,
  options: { readonly batches: number; readonly raters: number; readonly errorRate: (who: number) => number },
): { readonly votes: Votes; readonly truth: Uint8Array } {
  const { batches, raters, errorRate } = options;
  const items = 30 * batches;
  const truth = Uint8Array.from({ length: items }, (_, item) => randomStream(seed, 'truth', item).integer(2));
  const entries: (readonly [item: number, who: number, vote: number])[] = [];
  for (let who = 0; who < batches * raters; who++) {
    const stream = randomStream(seed, 'votes', who);
    const rate = errorRate(who);
    const first = 30 * Math.floor(who / raters);
    for (let item = first; item < first + 30; item++)
      entries.push([item, who, stream.uniform() < rate ? 1 - truth[item]! : truth[item]!]);
  }
  return { votes: votesFrom(entries, { items, classes: 2, contributors: batches * raters }), truth };
}

export function votesFrom(
  entries: readonly (readonly [item: number, who: number, vote: number])[],
  sizes: Pick<Votes, 'items' | 'classes' | 'contributors'>,
): Votes {
  const column = (index: 0 | 1 | 2): Uint32Array => Uint32Array.from(entries, (entry) => entry[index]);
  return { ...sizes, item: column(0), contributor: column(1), vote: column(2) };
}
