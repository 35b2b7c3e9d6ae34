/** The value of an interval that is nearest to another; `fallback` where that is not a number. */
export function clamp(value: number, low: number, high: number, fallback: number): number {
  if (value > high) return high;
  if (value < low) return low;
  return Number.isNaN(value) ? fallback : value;
}

/** The same; of the two zeros, always the positive one. */
export function clampByProducts(value: number, low: number, high: number, fallback: number): number {
  const above = Number(value > high);
  const below = Number(value < low);
  const nearest = above * high + below * low + (1 - above - below) * value;
  // Zero times infinity, where a step has no end.
  return Number.isNaN(nearest) ? clamp(value, low, high, fallback) : nearest;
}
