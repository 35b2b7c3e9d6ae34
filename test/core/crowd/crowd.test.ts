import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import {
  dawidSkene,
  influenceWeights,
  judgeContributors,
  type Votes,
  voteShares,
  votesOf,
} from '../../../src/core/crowd/index.js';
import { randomStream } from '../../../src/core/random/index.js';
import { fictionalCrowd, votesFrom } from './fictional-crowd.js';

interface Reference {
  readonly items: number;
  readonly classes: number;
  readonly contributors: number;
  readonly votes: readonly (readonly [item: number, who: number, vote: number])[];
  readonly posterior: readonly (readonly number[])[];
  readonly confusion: readonly (readonly (readonly number[])[])[];
  readonly prior: readonly number[];
}
const reference = JSON.parse(
  readFileSync(path.join(__dirname, 'fixtures/dawid-skene.json'), 'utf8'),
) as Reference;

/** Beta(0.86, 19.5), which is how often the raters of the review example err, from its quantiles at 0.05, 0.15, …, 0.95. */
const rates = [0.0013, 0.0051, 0.01, 0.016, 0.023, 0.032, 0.043, 0.058, 0.082, 0.137];
const honestRate = (seed: number) => (who: number) =>
  rates[randomStream(seed, 'rate', who).integer(rates.length)]!;

const accuracy = (shares: Float64Array, truth: Uint8Array): number =>
  truth.reduce((sum, right, item) => sum + (shares[2 * item + right]! > 0.5 ? 1 : 0), 0) / truth.length;

/** The votes on the first sentences of the review example. */
function readCrowd(items: number): Votes {
  const names = new Map<string, number>();
  const entries = readFileSync('examples/reviews/reviews.jsonl', 'utf8')
    .split('\n')
    .slice(0, items)
    .flatMap((line, item) => {
      const { ratings } = JSON.parse(line) as { readonly ratings: Readonly<Record<string, number>> };
      return Object.entries(ratings).flatMap(([name, rating]) => {
        if (rating === 0) return [];
        if (!names.has(name)) names.set(name, names.size);
        return [[item, names.get(name)!, rating > 0 ? 1 : 0] as const];
      });
    });
  return votesFrom(entries, { items, classes: 2, contributors: names.size });
}

/**
 * Adds contributors until they are two fifths of each batch, who all say the wrong class of half of the sentences, and the
 * right one of the others.
 */
function withColluders(votes: Votes, truth: Uint8Array): Votes {
  const entries = [...votes.item.keys()].map(
    (index) => [votes.item[index]!, votes.contributor[index]!, votes.vote[index]!] as const,
  );
  let who = votes.contributors;
  for (let first = 0; first < votes.items; first += 30) {
    const raters = new Set(
      entries.filter(([item]) => item >= first && item < first + 30).map(([, rater]) => rater),
    );
    for (let each = 0; each < Math.round((raters.size * 2) / 3); each++, who++) {
      for (let item = first; item < first + 30; item++) {
        const lies = randomStream(9, 'target', item).uniform() < 0.5;
        entries.push([item, who, lies ? 1 - truth[item]! : truth[item]!]);
      }
    }
  }
  return votesFrom(entries, { ...votes, contributors: who });
}

describe("Dawid and Skene's estimate", () => {
  it("agrees with crowd-kit's", () => {
    const votes = votesFrom(reference.votes, reference);
    const { posterior, confusion, prior } = dawidSkene(votes, { pseudoVotes: 0, tolerance: 1e-12 });
    const apart = (values: Float64Array, expected: readonly number[]): number =>
      values.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
    expect(apart(posterior, reference.posterior.flat())).toBeLessThan(1e-6);
    expect(apart(confusion, reference.confusion.flat(2))).toBeLessThan(1e-6);
    expect(apart(prior, reference.prior)).toBeLessThan(1e-6);
  });

  it('knows more than the majority does where contributors differ', () => {
    const { votes, truth } = fictionalCrowd(1, {
      batches: 20,
      raters: 7,
      errorRate: (who) => [0.02, 0.05, 0.4, 0.4, 0.45, 0.45, 0.45][who % 7]!,
    });
    expect(accuracy(dawidSkene(votes).posterior, truth)).toBeGreaterThan(
      accuracy(voteShares(votes), truth) + 0.05,
    );
  });
});

describe('influence', () => {
  it('is never more than its cap, and leaves alone who has less', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 4, maxLength: 12 }),
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (counts, cap) => {
          const votes = votesFrom(
            counts.flatMap((count, who) =>
              Array.from({ length: count }, (_, item) => [item, who, 0] as const),
            ),
            { items: 60, classes: 2, contributors: counts.length },
          );
          const weights = influenceWeights(votes, cap);
          const weighed = counts.map((count, who) => count * weights[who]!);
          const total = weighed.reduce((sum, weight) => sum + weight, 0);
          expect(Math.max(...weighed)).toBeLessThanOrEqual(cap * total * (1 + 1e-9));
          const most = Math.max(...weighed);
          counts.forEach((count, who) => {
            if (count < most * (1 - 1e-9)) expect(weights[who]).toBe(1);
          });
        },
      ),
    );
  });

  it('of one who votes on everything does not outweigh the others', () => {
    const entries = Array.from({ length: 300 }, (_, item) => [
      [item, 0, 1] as const,
      ...[1, 2].map((each) => [item, 1 + 2 * (item % 30) + each - 1, 0] as const),
    ]).flat();
    const votes = votesFrom(entries, { items: 300, classes: 2, contributors: 61 });
    expect(influenceWeights(votes, 0.02)[0]).toBeLessThan(0.1);
    expect(influenceWeights(votes, 1)[0]).toBe(1);
  });
});

describe('contributors', () => {
  it('who are honest are called unreliable at most at the false-alarm rate, in 20 crowds', () => {
    let [flagged, all] = [0, 0];
    for (let seed = 0; seed < 20; seed++) {
      const { votes } = fictionalCrowd(100 + seed, { batches: 6, raters: 15, errorRate: honestRate(seed) });
      const judged = judgeContributors(votes, 0.05, 0.02);
      flagged += [...Array(votes.contributors).keys()].filter((who) => judged.isUnreliable(who)).length;
      all += votes.contributors;
    }
    expect(flagged / all).toBeGreaterThan(0);
    expect(flagged / all).toBeLessThan(0.02);
  });

  it('who collude are found at two fifths of the crowd, where the model alone believes them', () => {
    const votes = readCrowd(1200);
    const { posterior } = dawidSkene(votes);
    const truth = Uint8Array.from({ length: votes.items }, (_, item) =>
      posterior[2 * item + 1]! > 0.5 ? 1 : 0,
    );
    const attacked = withColluders(votes, truth);
    const judged = judgeContributors(attacked, 0.05, 0.01);
    const flagged = [...Array(attacked.contributors).keys()].filter((who) => judged.isUnreliable(who));
    const found = flagged.filter((who) => who >= votes.contributors).length;
    expect(found / (attacked.contributors - votes.contributors)).toBeGreaterThan(0.97);
    expect((flagged.length - found) / votes.contributors).toBeLessThan(0.12);

    const believed = accuracy(dawidSkene(attacked).posterior, truth);
    const defended = accuracy(
      dawidSkene(votesOf(attacked, (who) => !judged.isUnreliable(who))).posterior,
      truth,
    );
    expect(believed).toBeLessThan(0.9);
    expect(defended).toBeGreaterThan(0.985);
  });
});
