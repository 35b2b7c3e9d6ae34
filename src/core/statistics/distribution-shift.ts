import {
  chiSquareTail,
  noncentralChiSquareProbability,
  noncentralityInterval,
} from './chi-square-distribution.js';
import type { Interval } from './clopper-pearson.js';

/** How far two histograms over the same bins are apart. */
export interface Shift {
  /** The effect size, in the units of its measure; 0 for equal distributions. */
  readonly estimate: number;
  /** Of the effect size, two-sided. */
  readonly interval: Interval;
  /** Probability, were the distributions equal, of an estimate at least this large. */
  readonly pNone: number;
  /** The same, were they just as far apart as is still allowed. */
  pBeyond(allowed: number): number;
}

/**
 * Measures a shift.
 *
 * @param a - counts of the reference, one a bin
 * @param b - counts of the data at hand, for the same bins
 * @param confidence - of the interval, in (0, 1)
 */
export type ShiftMeasure = (a: readonly number[], b: readonly number[], confidence: number) => Shift;

/**
 * Population stability index: Σ (p − q) ln(p / q), the symmetric Kullback–Leibler divergence in nats. Half a row is added to every
 * bin, or an empty one would make it infinite (Krichevsky, Trofimov, IEEE Transactions on Information Theory 27, 1981).
 */
export const populationStability: ShiftMeasure = (a, b, confidence) => {
  const [p, q] = [smoothShares(a), smoothShares(b)];
  const value = sum(p.map((share, i) => (share - q[i]!) * Math.log(share / q[i]!)));
  return divergence(value, 1, [a, b], confidence);
};

/**
 * Jensen–Shannon distance: the square root of the divergence in nats, from 0 to √ln 2 = 0.83 (Endres, Schindelin, IEEE Transactions
 * on Information Theory 49, 2003).
 */
export const jensenShannon: ShiftMeasure = (a, b, confidence) => {
  const [p, q] = [shares(a), shares(b)];
  const half = (share: number, middle: number) => (share === 0 ? 0 : share * Math.log(share / middle));
  const value = sum(
    p.map((share, i) => (half(share, (share + q[i]!) / 2) + half(q[i]!, (share + q[i]!) / 2)) / 2),
  );
  const shift = divergence(value, 8, [a, b], confidence);
  const root = (x: number) => Math.sqrt(Math.max(0, x));
  return {
    ...shift,
    estimate: root(shift.estimate),
    interval: [root(shift.interval[0]), Math.min(root(Math.LN2), root(shift.interval[1]))],
    pBeyond: (allowed) => shift.pBeyond(allowed ** 2),
  };
};

/**
 * Pearson's test of homogeneity; the effect size is Cramér's V of the 2 × k table, from 0 to 1 (Cramér, "Mathematical methods of
 * statistics", 1946, section 21.9), as if both samples were of one size: else it would shrink with the smaller one.
 */
export const chiSquare: ShiftMeasure = (a, b, confidence) => {
  const [n, m] = [sum(a), sum(b)];
  const total = n + m;
  let statistic = 0;
  for (const [i, count] of a.entries()) {
    const both = count + b[i]!;
    if (both > 0) statistic += (count - (both * n) / total) ** 2 / ((both * n * m) / total ** 2);
  }
  const degrees = degreesOf(a, b);
  const balanced = (4 * n * m) / total;
  const size = (x: number) => Math.min(1, Math.sqrt(x / balanced));
  return {
    estimate: size(statistic),
    interval: statisticInterval(statistic, degrees, confidence).map(size) as unknown as Interval,
    pNone: degrees === 0 ? 1 : chiSquareTail(statistic, degrees),
    pBeyond: (allowed) => beyond(statistic, degrees, allowed ** 2 * balanced),
  };
};

/**
 * Kolmogorov–Smirnov: the largest difference between two distribution functions. Over bins of ordered values it is exact where each
 * value has a bin of its own, and otherwise too small by at most the share of the largest bin.
 *
 * The interval and `pBeyond` rest on Massart's bound of both empirical distribution functions (Annals of Probability 18, 1990), which
 * holds for any number of rows; `pNone` is Kolmogorov's limit, of which it falls short for bins (Noether, 1963).
 */
export const kolmogorovSmirnov: ShiftMeasure = (a, b, confidence) => {
  const [n, m] = [sum(a), sum(b)];
  let estimate = 0;
  let [below, belowB] = [0, 0];
  for (const [i, count] of a.entries()) {
    below += count;
    belowB += b[i]!;
    estimate = Math.max(estimate, Math.abs(below / n - belowB / m));
  }
  const scale = 1 / Math.sqrt(n) + 1 / Math.sqrt(m);
  const margin = scale * Math.sqrt(Math.log(4 / (1 - confidence)) / 2);
  return {
    estimate,
    interval: [Math.max(0, estimate - margin), Math.min(1, estimate + margin)],
    pNone: kolmogorovTail(Math.sqrt((n * m) / (n + m)) * estimate),
    pBeyond: (allowed) =>
      estimate <= allowed ? 1 : Math.min(1, 4 * Math.exp(-2 * ((estimate - allowed) / scale) ** 2)),
  };
};

/** P(K ≥ x) for Kolmogorov's distribution (Marsaglia, Tsang, Wang, Journal of Statistical Software 8, 2003, equation 1). */
export function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  if (x < 1) {
    // The other form of the theta function, which converges fast where this one does not.
    let below = 0;
    for (let j = 1; j < 20; j += 2) below += Math.exp((-(j ** 2) * Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * below;
  }
  let tail = 0;
  for (let j = 1; j < 20; j++) tail += (j % 2 === 1 ? 2 : -2) * Math.exp(-2 * j * j * x * x);
  return Math.min(1, Math.max(0, tail));
}

/**
 * Divergences of the same family, scaled by their second derivative at 1, are Pearson's statistic to second order, and so is their
 * distribution near equality: noncentral chi-square (Pardo, "Statistical inference based on divergence measures", 2006, section
 * 3.4). Far from it the interval is an approximation.
 */
function divergence(
  value: number,
  scale: number,
  [a, b]: readonly [readonly number[], readonly number[]],
  confidence: number,
): Shift {
  const [n, m] = [sum(a), sum(b)];
  const size = (scale * n * m) / (n + m);
  const statistic = Math.max(0, value) * size;
  const degrees = degreesOf(a, b);
  return {
    estimate: Math.max(0, value),
    interval: statisticInterval(statistic, degrees, confidence).map((x) => x / size) as unknown as Interval,
    pNone: degrees === 0 ? 1 : chiSquareTail(statistic, degrees),
    pBeyond: (allowed) => beyond(statistic, degrees, allowed * size),
  };
}

function statisticInterval(statistic: number, degrees: number, confidence: number): Interval {
  return degrees === 0 ? [0, 0] : noncentralityInterval(statistic, degrees, confidence);
}

function beyond(statistic: number, degrees: number, noncentrality: number): number {
  return degrees === 0 ? 1 : 1 - noncentralChiSquareProbability(statistic, degrees, noncentrality);
}

/** Bins that hold anything, less one. */
function degreesOf(a: readonly number[], b: readonly number[]): number {
  return Math.max(0, a.filter((count, i) => count + b[i]! > 0).length - 1);
}

function shares(counts: readonly number[]): readonly number[] {
  const total = sum(counts);
  return counts.map((count) => count / total);
}

function smoothShares(counts: readonly number[]): readonly number[] {
  return shares(counts.map((count) => count + 0.5));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
