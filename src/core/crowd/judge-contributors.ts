import { disagreement } from './disagreement.js';
import { errsAsOften, type HonestRates, honestRates } from './honest-rates.js';
import { influenceWeights } from './influence.js';
import { type Votes, votesPerContributor } from './votes.js';

/** What is known of contributors from whom they contradict. */
export interface JudgedContributors {
  /** How much each vote counts, by contributor: see {@link influenceWeights}. */
  readonly weights: Float64Array;
  /** Votes of each. */
  readonly votes: Uint32Array;
  /** Share of each contributor's votes that the majority of the reliable others contradicts. */
  readonly errorRates: Float64Array;
  /** How often an honest contributor is contradicted as often, by chance. */
  readonly pValues: Float64Array;
  readonly honest: HonestRates;
  /** Whether the p-value is at most the false-alarm rate. */
  isUnreliable(contributor: number): boolean;
}

/** Rounds at most; crowds with two fifths of colluders settle in a few. */
const ROUNDS = 20;

/**
 * Tells contributors who err like most from those who err more. Whoever is unreliable is no longer asked when others are
 * judged, until nothing changes. Honest contributors are called unreliable at the false-alarm rate, as far as their rates of
 * error are Beta distributed.
 *
 * @param cap - the largest share of all votes that one contributor may have
 * @param falseAlarmRate - in (0, 0.5)
 */
export function judgeContributors(votes: Votes, cap: number, falseAlarmRate: number): JudgedContributors {
  const weights = influenceWeights(votes, cap);
  const counts = votesPerContributor(votes);
  const voted = [...counts.keys()].filter((who) => counts[who]! > 0);
  const votedCounts = voted.map((who) => counts[who]!);
  let asked = weights;
  for (let round = 1; ; round++) {
    const errorRates = disagreement(votes, asked);
    const errors = voted.map((who) => errorRates[who]! * counts[who]!);
    const honest = honestRates(votedCounts, errors);
    const pValues = new Float64Array(votes.contributors).fill(1);
    for (const [index, who] of voted.entries())
      pValues[who] = errsAsOften(counts[who]!, errors[index]!, honest);
    const next = weights.map((weight, who) => (pValues[who]! <= falseAlarmRate ? 0 : weight));
    const settled = next.every((weight, who) => weight === asked[who]);
    if (settled || round === ROUNDS) {
      const isUnreliable = (contributor: number): boolean => pValues[contributor]! <= falseAlarmRate;
      return { weights, votes: counts, errorRates, pValues, honest, isUnreliable };
    }
    asked = next;
  }
}
