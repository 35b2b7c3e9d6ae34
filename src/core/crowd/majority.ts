import type { Votes } from './votes.js';

/**
 * The share of votes that each class has, item by item.
 *
 * @param weights - how much a vote counts, by contributor; default: 1
 * @returns items·classes; rows sum to 1, and are even where nobody voted
 */
export function voteShares(
  { items, classes, item, contributor, vote }: Votes,
  weights?: Float64Array,
): Float64Array {
  const shares = new Float64Array(items * classes);
  item.forEach((which, index) => {
    shares[which * classes + vote[index]!]! += weights?.[contributor[index]!] ?? 1;
  });
  for (let at = 0; at < shares.length; at += classes) {
    const row = shares.subarray(at, at + classes);
    const sum = row.reduce((total, share) => total + share, 0);
    for (let c = 0; c < classes; c++) row[c] = sum > 0 ? row[c]! / sum : 1 / classes;
  }
  return shares;
}
