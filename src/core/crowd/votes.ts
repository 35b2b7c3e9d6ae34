/** What several people said of several items: one entry a vote in each of the three lists. */
export interface Votes {
  readonly items: number;
  readonly classes: number;
  readonly contributors: number;
  /** Index of the item voted on. */
  readonly item: Uint32Array;
  /** Index of who voted. */
  readonly contributor: Uint32Array;
  /** Class index that they gave it. */
  readonly vote: Uint32Array;
}

/** Votes of each contributor. */
export function votesPerContributor({ contributors, contributor }: Votes): Uint32Array {
  const counts = new Uint32Array(contributors);
  for (const who of contributor) counts[who]! += 1;
  return counts;
}

/** The votes of some of the contributors; contributors and items keep their indices. */
export function votesOf(votes: Votes, included: (contributor: number) => boolean): Votes {
  const kept = [...votes.contributor.keys()].filter((index) => included(votes.contributor[index]!));
  const pick = (values: Uint32Array): Uint32Array => Uint32Array.from(kept, (index) => values[index]!);
  return {
    ...votes,
    item: pick(votes.item),
    contributor: pick(votes.contributor),
    vote: pick(votes.vote),
  };
}
