/**
 * p-values adjusted so that, of all hypotheses rejected at an adjusted value of at most q, an expected share of q at most is
 * rejected wrongly; for independent or positively dependent tests.
 *
 * Source: Benjamini, Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57 (1995).
 *
 * @param probabilities - in [0, 1], in any order
 * @returns adjusted values in the same order
 */
export function benjaminiHochberg(probabilities: readonly number[]): readonly number[] {
  const n = probabilities.length;
  const descending = Array.from(probabilities.keys()).sort((a, b) => probabilities[b]! - probabilities[a]!);
  const adjusted = Array<number>(n);
  let smallest = 1;
  for (const [i, index] of descending.entries()) {
    smallest = Math.min(smallest, (probabilities[index]! * n) / (n - i));
    adjusted[index] = smallest;
  }
  return adjusted;
}
