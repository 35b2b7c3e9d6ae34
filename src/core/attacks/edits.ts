import { stepBelow, stepsBetween } from './constraints.js';
import { distance } from './distance.js';
import { roundTowards } from './float32.js';
import type { Reach } from './projection.js';
import { insideThreatModel } from './threat-model.js';

/** Values that change together. */
export interface Edit {
  readonly positions: readonly number[];
  readonly values: readonly number[];
}

/** What an adversary sets by itself: the positions of one value, or of a group of which one is 1. */
export type Unit = readonly number[];

/** Steps of one value that are all edits of it; of more, the neighbours, the ends and the sample's own are. */
const FEW_STEPS = 16;
/** Share of a float64 sum that its rounding may cost. */
const ROUNDING = 2 ** -40;

/** What of a sample can be edited. */
export function unitsOf({ threat, size }: Reach): readonly Unit[] {
  const { fixed, oneHot } = threat.constraints ?? { oneHot: [] };
  const grouped = new Set(oneHot.flat());
  const single = Array.from({ length: size }, (_, i) => i).filter((i) => !grouped.has(i));
  return [...single.map((i) => [i]), ...oneHot].filter((unit) => !fixed?.[unit[0]!]);
}

/**
 * Every edit of one unit of a point that the adversary may send, and in an L1 or L2 ball, every such edit after another unit
 * was set back to the sample. Not all of them need lie inside the ball.
 */
export function singleEdits(
  reach: Reach,
  index: number,
  units: readonly Unit[],
  point: Float32Array,
): readonly Edit[] {
  const { samples, threat, size } = reach;
  const original = samples.inputs.subarray(index * size, (index + 1) * size);
  const edits = units.flatMap((unit) => editsOf(reach, index, unit, point));
  if (threat.norm === 'linf') return edits;
  const changed = units.filter((unit) => unit.some((i) => point[i] !== original[i]));
  return [
    ...edits,
    ...changed.flatMap((back) => {
      const base = point.slice();
      for (const i of back) base[i] = original[i]!;
      return units
        .filter((unit) => unit !== back)
        .flatMap((unit) => editsOf(reach, index, unit, base))
        .map(({ positions, values }) => ({
          positions: [...back, ...positions],
          values: [...back.map((i) => original[i]!), ...values],
        }));
    }),
  ];
}

function editsOf(reach: Reach, index: number, unit: Unit, point: Float32Array): readonly Edit[] {
  const [only] = unit as [number];
  if (unit.length > 1) {
    const { size, box } = reach;
    if (box.lower[index * size + only] === box.upper[index * size + only]) return [];
    return unit
      .filter((i) => point[i] !== 1)
      .map((one) => ({ positions: unit, values: unit.map((i) => (i === one ? 1 : 0)) }));
  }
  return [...new Set(valuesOf(reach, index, only, point))]
    .filter((value) => value !== point[only])
    .map((value) => ({ positions: unit, values: [value] }));
}

function valuesOf(
  { samples, threat, size, box }: Reach,
  index: number,
  i: number,
  point: Float32Array,
): readonly number[] {
  const original = samples.inputs[index * size + i]!;
  const [low, high] = [box.lower[index * size + i]!, box.upper[index * size + i]!];
  const steps = threat.constraints?.steps[i];
  if (steps) {
    const [first, last] = stepsBetween(steps, low, high);
    if (last - first < FEW_STEPS) {
      return Array.from({ length: last - first + 1 }, (_, step) => steps.at(first + step));
    }
    const here = stepBelow(steps, point[i]!);
    const near = [here - 1, here + 1].filter((step) => step >= first && step <= last);
    return [low, high, original, ...near.map((step) => steps.at(step))];
  }
  if (threat.norm === 'linf') return [low, high, original];
  const power = threat.norm === 'l2' ? 2 : 1;
  const others = point.reduce(
    (sum, value, k) => (k === i ? sum : sum + Math.abs(value - samples.inputs[index * size + k]!) ** power),
    0,
  );
  const left = Math.max(0, threat.epsilon ** power - others) ** (1 / power) * (1 - ROUNDING);
  return [
    roundTowards(original, Math.max(low, original - left)),
    roundTowards(original, Math.min(high, original + left)),
    original,
  ];
}

/**
 * Every point that the adversary may send, the nearest first; undefined where there are more than `most`, or a value can
 * be anything.
 */
export function everyPoint(reach: Reach, index: number, most: number): readonly Float32Array[] | undefined {
  const { samples, threat, size, box } = reach;
  const steps = threat.constraints?.steps;
  const units = unitsOf(reach);
  if (units.some((unit) => unit.length === 1 && !steps?.[unit[0]!] && isOpen(reach, index, unit[0]!))) {
    return undefined;
  }
  const original = samples.inputs.slice(index * size, (index + 1) * size);
  const found: Float32Array[] = [];
  const visit = (point: Float32Array, at: number): boolean => {
    const unit = units[at];
    if (!unit) {
      if (insideThreatModel(original, point, threat)) found.push(point);
      return found.length <= most;
    }
    if (!visit(point, at + 1)) return false;
    if (!isOpen(reach, index, unit[0]!)) return true;
    return choices(unit).every((values) => {
      const edited = point.slice();
      for (const [k, i] of unit.entries()) edited[i] = values[k]!;
      // Further edits only lead further away.
      return distance(threat.norm, original, edited) > threat.epsilon || visit(edited, at + 1);
    });
  };
  const choices = (unit: Unit): readonly (readonly number[])[] => {
    const [only] = unit as [number];
    if (unit.length > 1) {
      return unit.filter((i) => original[i] !== 1).map((one) => unit.map((i) => (i === one ? 1 : 0)));
    }
    const own = steps![only]!;
    const at = index * size + only;
    const [first, last] = stepsBetween(own, box.lower[at]!, box.upper[at]!);
    // One more than all there may be is enough to know that there are too many.
    return Array.from({ length: Math.min(last - first + 1, most + 2) }, (_, step) => own.at(first + step))
      .filter((value) => value !== original[only])
      .map((value) => [value]);
  };
  if (!visit(original, 0)) return undefined;
  return found
    .map((point) => ({ point, away: distance(threat.norm, original, point) }))
    .sort((one, other) => one.away - other.away)
    .map(({ point }) => point);
}

function isOpen({ box, size }: Reach, index: number, i: number): boolean {
  return box.lower[index * size + i] !== box.upper[index * size + i];
}
