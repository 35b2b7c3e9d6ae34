import { RefusedError } from '../errors/index.js';
import type { Samples, ThreatModel } from './attack.js';
import { FLIP_LENGTH, firstViolation, stepsBetween } from './constraints.js';
import { distance } from './distance.js';
import { nextFloat32 } from './float32.js';
import { differsUnderOnePatch } from './patch-support.js';

/** For every input value, the smallest and the largest float32 that the threat model allows. */
export interface Box {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * The smallest box of float32 values around the threat model of each sample: values outside are never allowed, and under
 * L∞ all points inside are. In exact arithmetic the bounds `x ± ε` are rarely float32 numbers, so each is rounded
 * *inwards*: what lies in the box keeps to the radius value by value without any tolerance, at the price of at most one
 * unit in the last place. Constraints draw it closer: what cannot change stays, steps are its ends, and a group that the
 * ball has no room to flip stays, too.
 *
 * @returns bounds for ids.length · size values
 * @throws RefusedError `data-refused` when a sample itself lies outside the valid range or breaks a constraint
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
  const box = { lower, upper };
  for (const index of threat.constraints ? samples.ids.keys() : []) drawCloser(box, samples, index, threat);
  return box;
}

function drawCloser(
  { lower, upper }: Box,
  { ids, inputs }: Samples,
  index: number,
  { constraints, minimum, norm, epsilon }: ThreatModel,
): void {
  if (!constraints) return;
  const from = index * minimum.length;
  const original = inputs.subarray(from, from + minimum.length);
  const wrong = firstViolation(original, original, constraints);
  if (wrong !== undefined) {
    throw new RefusedError(
      'data-refused',
      `Sample ${ids[index]}: expected value ${wrong} as the data block describes it, got ${original[wrong]}.`,
    );
  }
  const stay = (i: number): void => {
    lower[from + i] = original[i]!;
    upper[from + i] = original[i]!;
  };
  for (const [i, steps] of constraints.steps.entries()) {
    if (constraints.fixed[i]) stay(i);
    else if (steps) {
      const [first, last] = stepsBetween(steps, lower[from + i]!, upper[from + i]!);
      lower[from + i] = steps.at(first);
      upper[from + i] = steps.at(last);
    }
  }
  for (const members of constraints.oneHot) if (FLIP_LENGTH[norm] > epsilon) members.forEach(stay);
}

/**
 * Whether one input is one that the adversary may send: every value finite and in the valid range, and the whole at most
 * ε from the original in the threat model's norm, with all constraints kept. Computed in float64 on the float32 values, with
 * no tolerance.
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
    adversarial.every((value, i) => value >= threat.minimum[i]! && value <= threat.maximum[i]!) &&
    distance(threat.norm, original, adversarial) <= threat.epsilon &&
    (threat.constraints === undefined ||
      firstViolation(original, adversarial, threat.constraints) === undefined) &&
    (threat.patch === undefined || differsUnderOnePatch(original, adversarial, threat.patch))
  );
}
