import { RefusedError } from '../errors/index.js';
import type { Samples, ThreatModel } from './attack.js';

/** For every input value, the smallest and the largest float32 that the threat model allows. */
export interface Box {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * The threat model of some samples as a box of float32 values. In exact arithmetic the bounds `x ± ε` are rarely
 * float32 numbers, so each is rounded *inwards*: what lies in the box is inside the ball and the valid range without any
 * tolerance, at the price of at most one unit in the last place of the radius.
 *
 * @returns bounds for ids.length · size values
 * @throws RefusedError `data-refused` when a sample itself lies outside the valid range
 */
export function allowedBox(samples: Samples, threat: ThreatModel): Box {
  const size = threat.minimum.length;
  const lower = new Float32Array(samples.inputs.length);
  const upper = new Float32Array(samples.inputs.length);
  for (let i = 0; i < samples.inputs.length; i++) {
    const value = samples.inputs[i]!;
    const minimum = threat.minimum[i % size]!;
    const maximum = threat.maximum[i % size]!;
    if (!(minimum <= value && value <= maximum)) {
      throw new RefusedError(
        'data-refused',
        `Sample ${samples.ids[Math.floor(i / size)]}: expected value ${i % size} between ${minimum} and ${maximum}, got ${value}.`,
      );
    }
    let low = Math.max(minimum, Math.fround(value - threat.epsilon));
    while (value - low > threat.epsilon) low = nextFloat32(low, 1);
    let high = Math.min(maximum, Math.fround(value + threat.epsilon));
    while (high - value > threat.epsilon) high = nextFloat32(high, -1);
    lower[i] = low;
    upper[i] = high;
  }
  return { lower, upper };
}

/**
 * Whether one input is one that the adversary may send: every value finite, at most ε from the original and in the valid
 * range. Computed in float64 on the float32 values, with no tolerance.
 *
 * @param original - one sample, as many values as `threat.minimum`
 * @param adversarial - as many values
 */
export function insideThreatModel(
  original: Float32Array,
  adversarial: Float32Array,
  threat: ThreatModel,
): boolean {
  return (
    adversarial.length === original.length &&
    adversarial.every(
      (value, i) =>
        Math.abs(value - original[i]!) <= threat.epsilon &&
        value >= threat.minimum[i]! &&
        value <= threat.maximum[i]!,
    )
  );
}

/** The largest absolute difference between two inputs, in float64. */
export function linfDistance(one: Float32Array, other: Float32Array): number {
  return one.reduce((largest, value, i) => Math.max(largest, Math.abs(value - other[i]!)), 0);
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The float32 beside `value`, towards +∞ or −∞. The bit patterns of floats of one sign are ordered like integers. */
function nextFloat32(value: number, direction: 1 | -1): number {
  float[0] = value;
  if (value === 0) {
    bits[0] = 1;
    return direction * float[0]!;
  }
  bits[0]! += value > 0 ? direction : -direction;
  return float[0]!;
}
