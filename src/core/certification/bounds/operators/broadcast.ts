/** For each element of a result of shape `to`, row-major, which element of an operand of shape `from` meets it. */
export function broadcastSources(from: readonly number[], to: readonly number[]): Int32Array {
  const sources = new Int32Array(to.reduce((a, b) => a * b, 1));
  // From the last axis to the first: what is filled so far is repeated along the next one.
  let filled = 1;
  let stride = 1;
  for (let axis = 1; axis <= to.length; axis++) {
    const length = to[to.length - axis]!;
    const own = from[from.length - axis] ?? 1;
    for (let at = 1; at < length; at++) {
      for (let i = 0; i < filled; i++) {
        sources[at * filled + i] = sources[i]! + (own > 1 ? at * stride : 0);
      }
    }
    filled *= length;
    stride *= own;
  }
  return sources;
}
