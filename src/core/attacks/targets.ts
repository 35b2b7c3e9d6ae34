/**
 * The other classes in the order in which a model takes them for the right one, the likeliest first; equal ones by number.
 *
 * @param count - how many of them
 */
export function likeliestOthers(logits: Float32Array, label: number, count: number): readonly number[] {
  return [...logits.keys()]
    .filter((c) => c !== label)
    .sort((one, other) => logits[other]! - logits[one]! || one - other)
    .slice(0, count);
}
