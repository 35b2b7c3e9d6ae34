import { type Votes, votesPerContributor } from './votes.js';

/** Halvings of the interval that the limit lies in: to the last bit. */
const HALVINGS = 64;

/**
 * How much each vote of a contributor counts, so that nobody's votes together weigh more than a share of all votes: 1, or
 * less for who voted too often.
 *
 * @param cap - the share, in (0, 1]; where there are too few contributors to keep it, all weigh alike
 * @returns one weight a contributor, in (0, 1]
 */
export function influenceWeights(votes: Votes, cap: number): Float64Array {
  const counts = votesPerContributor(votes);
  const most = counts.reduce((largest, count) => Math.max(largest, count), 0);
  /** All that is weighed when nobody has more votes than `limit`. */
  const totalAt = (limit: number): number => counts.reduce((sum, count) => sum + Math.min(count, limit), 0);
  let [low, high] = [0, most];
  if (most <= cap * totalAt(most)) low = most;
  else {
    // limit / totalAt(limit) grows with the limit: the largest one that keeps the cap.
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = (low + high) / 2;
      if (middle <= cap * totalAt(middle)) low = middle;
      else high = middle;
    }
  }
  // Below the smallest count nothing changes any more: all weigh alike.
  const voted = counts.filter((count) => count > 0);
  const least = voted.reduce((smallest, count) => Math.min(smallest, count), most);
  const limit = Math.max(low, least);
  return Float64Array.from(counts, (count) => (count > limit ? limit / count : 1));
}
