import { logGamma } from '../statistics/index.js';

/** How often honest contributors err: by rates that are Beta(a, b) distributed, each vote for itself. */
export interface HonestRates {
  readonly a: number;
  readonly b: number;
  /** Estimated share of contributors whose errors are like those. */
  readonly share: number;
}

const ROUNDS = 50;
/** Of a Beta distribution: beyond, rates are all alike; below, they say nothing. */
const [LEAST_SIZE, MOST_SIZE] = [0.5, 10_000];

/**
 * Fits rates of error that most contributors have, though others may err at any rate whatever: a mixture of a beta-binomial
 * and a uniform distribution, from the better half on. A minority moves it little, as it is soon taken for the others.
 *
 * @param votes - of each contributor, at least 1
 * @param errors - of each contributor, in [0, votes]; expected numbers, so not whole
 */
export function honestRates(votes: readonly number[], errors: readonly number[]): HonestRates {
  const rates = errors.map((count, who) => count / votes[who]!);
  const sorted = [...rates].sort((one, other) => one - other);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  let honest = rates.map((rate): number => (rate <= middle ? 1 : 0));
  let model: HonestRates = { a: 1, b: 9, share: 1 };
  for (let round = 0; round < ROUNDS; round++) {
    model = fitMoments(votes, errors, honest);
    honest = rates.map((_, who) => {
      const like = model.share * Math.exp(logProbability(errors[who]!, votes[who]!, model));
      return like / (like + (1 - model.share) / (votes[who]! + 1));
    });
  }
  return model;
}

/**
 * How often an honest contributor errs at least so often, by chance: a p-value.
 * @param errors - rounded to a whole number
 */
export function errsAsOften(votes: number, errors: number, rates: HonestRates): number {
  const least = Math.round(errors);
  let [above, below] = [0, 0];
  for (let count = 0; count <= votes; count++) {
    const probability = Math.exp(logProbability(count, votes, rates));
    if (count >= least) above += probability;
    else below += probability;
  }
  return above / (above + below);
}

/** Of a beta-binomial variable; errors need not be whole. */
function logProbability(errors: number, votes: number, { a, b }: HonestRates): number {
  const right = votes - errors;
  return (
    logGamma(votes + 1) -
    logGamma(errors + 1) -
    logGamma(right + 1) +
    logBeta(errors + a, right + b) -
    logBeta(a, b)
  );
}

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** The mean, and how much rates vary beyond what chance gives. */
function fitMoments(
  votes: readonly number[],
  errors: readonly number[],
  weights: readonly number[],
): HonestRates {
  let [weightSum, voteSum, errorSum] = [0, 0, 0];
  weights.forEach((weight, who) => {
    weightSum += weight;
    voteSum += weight * votes[who]!;
    errorSum += weight * errors[who]!;
  });
  // Half an error and half a right vote more: nobody is known never to err.
  const mean = (errorSum + 0.5) / (voteSum + 1);
  let [spread, chance, excess] = [0, 0, 0];
  weights.forEach((weight, who) => {
    const n = votes[who]!;
    spread += weight * (errors[who]! - n * mean) ** 2;
    chance += weight * n * mean * (1 - mean);
    excess += weight * n * (n - 1) * mean * (1 - mean);
  });
  // Of beta-binomial counts the variance is n·m·(1 − m)·(1 + (n − 1)·c), with c = 1 / (a + b + 1).
  const correlation = excess > 0 ? Math.max(0, (spread - chance) / excess) : 0;
  const size = correlation > 0 ? 1 / correlation - 1 : MOST_SIZE;
  const bounded = Math.min(MOST_SIZE, Math.max(LEAST_SIZE, size));
  return {
    a: bounded * mean,
    b: bounded * (1 - mean),
    share: weightSum / Math.max(1, weights.length),
  };
}
