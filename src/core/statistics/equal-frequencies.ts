import { logGamma } from './beta-distribution.js';

/** How often each of two parties answered a question with yes. */
export interface Tally {
  readonly one: number;
  readonly other: number;
}

/** Questions with mixed answers that are looked at: more show no more, and take long. */
const MOST_QUESTIONS = 200;

/**
 * Do two parties answer questions with yes equally often? The exact chance, if they do, that their tallies differ by as much
 * as these or more, all questions together: Fisher's test, summed over questions. Given how many yeses there were to a
 * question in all, the first party's part of them is hypergeometric. Two sums are looked at, and the rarer one counts double:
 * that of the differences, which sees one party say yes a little more often everywhere, and that of the differences without
 * their signs, which sees questions answered otherwise in both directions.
 *
 * Source: Fisher, "The design of experiments", 1935, section 2, for one question; Bonferroni for two looks.
 *
 * @param tallies - one a question
 * @param asked - how often each party was asked each question
 * @returns 1 where nothing could differ; small where chance does not explain the difference
 */
export function equalFrequencies(tallies: readonly Tally[], asked: Tally): number {
  const { one: m, other: k } = asked;
  const mixed = tallies
    .filter(({ one, other }) => one + other > 0 && one + other < m + k)
    .slice(0, MOST_QUESTIONS);
  const chanceOfSum = (measure: (difference: number) => number): number => {
    let seen = 0;
    let sums: ReadonlyMap<number, number> = new Map([[0, 1]]);
    for (const { one, other } of mixed) {
      const total = one + other;
      const difference = (first: number): number => measure(first * k - (total - first) * m);
      seen += difference(one);
      const next = new Map<number, number>();
      for (let first = Math.max(0, total - k); first <= Math.min(m, total); first++) {
        const chance = Math.exp(logChoose(m, first) + logChoose(k, total - first) - logChoose(m + k, total));
        for (const [sum, before] of sums) {
          const at = sum + difference(first);
          next.set(at, (next.get(at) ?? 0) + chance * before);
        }
      }
      sums = next;
    }
    const extreme = [...sums].filter(([sum]) => Math.abs(sum) >= Math.abs(seen));
    return extreme.reduce((chance, [, each]) => chance + each, 0);
  };
  const chances = [chanceOfSum(Math.abs), chanceOfSum((difference) => difference)];
  return Math.min(1, 2 * Math.min(...chances));
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
