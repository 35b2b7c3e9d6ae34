import { voteShares } from '../../crowd/index.js';
import { randomStream } from '../../random/index.js';
import type { PoisoningAttack } from './attack.js';

/** Share of the items that sybils lie about; on the others they are right, and so seem reliable. */
const LIES = 0.5;
/** Items that one account votes on. */
const VOTES = 30;

/**
 * Accounts of one person who agree with each other: wrong on half of the items, right on the others. There are as many as
 * make them a share of the votes on every item. Labels are what most votes then say.
 *
 * Source: Douceur, "The Sybil attack", IPTPS 2002.
 */
export const sybilRaters: PoisoningAttack = {
  name: 'sybil-raters',
  plants: 'contributors',
  fits: ({ crowd }) => crowd !== undefined,
  poison(data, { seed, share }) {
    const { contributors, votes } = data.crowd!;
    const perItem = new Uint32Array(votes.items);
    for (const item of votes.item) perItem[item]! += 1;
    const names = [...contributors];
    const [item, contributor, vote] = [[...votes.item], [...votes.contributor], [...votes.vote]];
    for (let first = 0; first < votes.items; first += VOTES) {
      const batch = Array.from({ length: Math.min(VOTES, votes.items - first) }, (_, i) => first + i);
      const honest = batch.reduce((sum, index) => sum + perItem[index]!, 0) / batch.length;
      const accounts = Math.round((honest * share) / (1 - share));
      for (let account = 0; account < accounts; account++) {
        for (const index of batch) {
          // Drawn by the item: all accounts say the same.
          const stream = randomStream(seed, 'sybil-raters', data.ids[index]!);
          const lies = stream.uniform() < LIES;
          const step = 1 + stream.integer(votes.classes - 1);
          item.push(index);
          contributor.push(names.length);
          vote.push(lies ? (data.labels[index]! + step) % votes.classes : data.labels[index]!);
        }
        names.push(`sybil-${first / VOTES}-${account}`);
      }
    }
    const attacked = {
      ...votes,
      contributors: names.length,
      item: Uint32Array.from(item),
      contributor: Uint32Array.from(contributor),
      vote: Uint32Array.from(vote),
    };
    const shares = voteShares(attacked);
    const labels = data.labels.map((_, index) => {
      const row = shares.subarray(index * votes.classes, (index + 1) * votes.classes);
      return row.indexOf(Math.max(...row));
    });
    return {
      data: { ...data, labels, crowd: { contributors: names, votes: attacked } },
      planted: new Set(names.slice(contributors.length)),
    };
  },
};
