import { voteShares } from './majority.js';
import type { Votes } from './votes.js';

/** Rounds at most: far beyond where crowds of tens of thousands of votes settle. */
const ROUNDS = 200;

/** What is known of items and contributors from votes alone. */
export interface CrowdModel {
  /** items·classes: how likely each class of an item is; rows sum to 1. */
  readonly posterior: Float64Array;
  /** How common each class is. */
  readonly prior: Float64Array;
  /** contributors·classes·classes: at [contributor][true][said], how likely it is that they say one class of another. */
  readonly confusion: Float64Array;
}

export interface DawidSkeneOptions {
  /** How much a vote counts, by contributor; default: 1. */
  readonly weights?: Float64Array;
  /**
   * Votes of an average contributor that are added to those of each, row by row, so that few votes prove little. 0 as in the
   * source, where a contributor who never confused two classes is believed never to do so.
   */
  readonly pseudoVotes?: number;
  /** Largest change of any probability at which the estimate counts as settled. */
  readonly tolerance?: number;
}

/**
 * Estimates the class of every item and the reliability of every contributor from each other, from the majority on, by
 * expectation maximisation.
 *
 * Source: Dawid, Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Journal of the Royal
 * Statistical Society C 28 (1979).
 */
export function dawidSkene(votes: Votes, options: DawidSkeneOptions = {}): CrowdModel {
  const { weights, pseudoVotes = 1, tolerance = 1e-6 } = options;
  let posterior = voteShares(votes, weights);
  for (let round = 0; ; round++) {
    const prior = classShares(posterior, votes.classes);
    const confusion = confusions(votes, posterior, weights, pseudoVotes);
    const next = posteriors(votes, prior, confusion, weights);
    const change = next.reduce((most, value, at) => Math.max(most, Math.abs(value - posterior[at]!)), 0);
    posterior = next;
    if (change <= tolerance || round === ROUNDS - 1) return { posterior, prior, confusion };
  }
}

function classShares(posterior: Float64Array, classes: number): Float64Array {
  const prior = new Float64Array(classes);
  posterior.forEach((value, at) => {
    prior[at % classes]! += (value * classes) / posterior.length;
  });
  return prior;
}

/** Equation 2.3 of the source, over weighed votes. */
function confusions(
  { classes, contributors, item, contributor, vote }: Votes,
  posterior: Float64Array,
  weights: Float64Array | undefined,
  pseudoVotes: number,
): Float64Array {
  const block = classes * classes;
  const counts = new Float64Array(contributors * block);
  const pooled = new Float64Array(block);
  vote.forEach((said, index) => {
    const who = contributor[index]!;
    const weight = weights?.[who] ?? 1;
    for (let c = 0; c < classes; c++) {
      const share = weight * posterior[item[index]! * classes + c]!;
      counts[who * block + c * classes + said]! += share;
      pooled[c * classes + said]! += share;
    }
  });
  for (let c = 0; c < classes; c++) normalize(pooled.subarray(c * classes, (c + 1) * classes));
  for (let at = 0; at < counts.length; at += classes) {
    const row = counts.subarray(at, at + classes);
    for (let said = 0; said < classes; said++) row[said]! += pseudoVotes * pooled[(at % block) + said]!;
    normalize(row);
  }
  return counts;
}

/** Equation 2.5 of the source, in logarithms. */
function posteriors(
  { classes, items, item, contributor, vote }: Votes,
  prior: Float64Array,
  confusion: Float64Array,
  weights: Float64Array | undefined,
): Float64Array {
  const result = new Float64Array(items * classes);
  for (let at = 0; at < result.length; at++) result[at] = logarithm(prior[at % classes]!);
  vote.forEach((said, index) => {
    const who = contributor[index]!;
    for (let c = 0; c < classes; c++) {
      const likely = confusion[(who * classes + c) * classes + said]!;
      result[item[index]! * classes + c]! += (weights?.[who] ?? 1) * logarithm(likely);
    }
  });
  for (let at = 0; at < result.length; at += classes) {
    const row = result.subarray(at, at + classes);
    const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    for (let c = 0; c < classes; c++) row[c] = Math.exp(row[c]! - largest);
    normalize(row);
  }
  return result;
}

/** Impossible is very unlikely: contributors who contradict each other for certain leave an item undecided, not undefined. */
function logarithm(probability: number): number {
  return Math.log(Math.max(probability, 1e-10));
}

/** Makes a row sum to 1; even where it is empty. */
function normalize(row: Float64Array): void {
  const sum = row.reduce((total, value) => total + value, 0);
  for (let at = 0; at < row.length; at++) row[at] = sum > 0 ? row[at]! / sum : 1 / row.length;
}
