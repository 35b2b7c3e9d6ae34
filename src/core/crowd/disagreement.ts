import { type Votes, votesPerContributor } from './votes.js';

/**
 * How often each contributor is contradicted by the majority of everybody else: the share of their votes where the other
 * votes, weighed, give another class; half where those are tied, or there are none.
 *
 * A majority is asked, and not a model of the crowd: one that learns whom to believe comes to believe those who always agree
 * with each other, which is what colluders do.
 *
 * @param weights - how much a vote counts, by contributor; 0 for who is not asked
 * @returns one value a contributor, in [0, 1]; 0 for who did not vote
 */
export function disagreement(votes: Votes, weights: Float64Array): Float64Array {
  const { classes, item, contributor, vote } = votes;
  const tally = new Float64Array(votes.items * classes);
  item.forEach((which, index) => {
    tally[which * classes + vote[index]!]! += weights[contributor[index]!]!;
  });
  const errors = new Float64Array(votes.contributors);
  item.forEach((which, index) => {
    const [who, said] = [contributor[index]!, vote[index]!];
    const others = tally.slice(which * classes, (which + 1) * classes);
    others[said]! -= weights[who]!;
    const most = others.reduce((largest, weight) => Math.max(largest, weight), 0);
    // Sums of weights are not exact: what is almost a tie is one.
    const leaders = [...others.keys()].filter((c) => others[c]! >= most - 1e-9);
    errors[who]! += !leaders.includes(said) ? 1 : leaders.length > 1 ? 0.5 : 0;
  });
  const counts = votesPerContributor(votes);
  return errors.map((count, who) => (counts[who]! > 0 ? count / counts[who]! : 0));
}
