const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float32 beside `value`, towards +∞ or −∞. The bit patterns of floats of one sign are ordered like integers. */
export function nextFloat32(value: number, direction: 1 | -1): number {
  float[0] = value;
  if (value === 0) {
    bits[0] = 1;
    return direction * float[0]!;
  }
  bits[0]! += value > 0 ? direction : -direction;
  return float[0]!;
}

/** The float32 nearest to `value` among those that are no further from `anchor`, which is a float32. */
export function roundTowards(anchor: number, value: number): number {
  const rounded = Math.fround(value);
  if (Math.abs(rounded - anchor) <= Math.abs(value - anchor)) return rounded;
  return nextFloat32(rounded, rounded > anchor ? -1 : 1);
}
