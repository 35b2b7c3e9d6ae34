import { byClass } from '../by-class.js';
import type { Detector } from '../detector.js';
import { hiddenOf } from '../embedding.js';
import { alongAxes, principalAxes } from '../principal-axes.js';
import { robustTail } from '../robust-tail.js';

/** Axes that are looked at: those that most of what a network learned lies along. */
const AXES = 10;
/** Share of a class that its centre and axes are taken of: the most central half or so, as poison is a minority. */
const CORE = 0.75;
const ROUNDS = 10;

/**
 * Samples far from the centre of their class in what a network learned, measured in the spread of the central three quarters
 * of the class: concentration steps from the coordinate-wise median on.
 *
 * Source: Rousseeuw, Van Driessen, "A fast algorithm for the minimum covariance determinant estimator", Technometrics 41
 * (1999); cube roots of squared distances are about normal (Wilson, Hilferty, PNAS 1931).
 */
export const mahalanobis: Detector = {
  name: 'mahalanobis',
  looksFor: 'samples far from the rest of their class in what a network learned',
  async detect(data, { falseAlarmRate, embedding }) {
    const learned = await embedding();
    const hidden = hiddenOf(data.inputs, learned);
    const count = Math.min(AXES, learned.width);
    const rows = alongAxes(hidden, principalAxes(hidden, learned.width), count);
    const distances = new Float64Array(data.ids.length);
    for (const members of byClass(data.labels, data.classes.length)) {
      for (const [index, distance] of classDistances(rows, count, members)) distances[index] = distance;
    }
    const scores = distances.map((square) => Math.cbrt(square));
    const threshold = robustTail(scores, falseAlarmRate);
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected at most ${Math.sqrt(threshold ** 3).toFixed(1)} deviations from its class, got ${Math.sqrt(distances[index]!).toFixed(1)}`,
      figures: {},
    };
  },
};

function* classDistances(
  rows: Float64Array,
  width: number,
  members: readonly number[],
): Generator<readonly [index: number, distance: number]> {
  let core = nearestToMedian(rows, width, members);
  let distances: readonly number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { mean, axes, variances } = principalAxes(rows, width, core);
    // A floor: along an axis without spread, nothing would be near.
    const floor = 1e-3 * (variances[0] || 1);
    distances = members.map((index) => {
      let sum = 0;
      for (let axis = 0; axis < width; axis++) {
        let along = 0;
        for (let i = 0; i < width; i++)
          along += (rows[index * width + i]! - mean[i]!) * axes[axis * width + i]!;
        sum += along ** 2 / Math.max(floor, variances[axis]!);
      }
      return sum;
    });
    const next = mostCentral(members, distances);
    if (next.every((index, i) => index === core[i])) break;
    core = next;
  }
  for (const [position, index] of members.entries()) yield [index, distances[position]!];
}

function nearestToMedian(rows: Float64Array, width: number, members: readonly number[]): readonly number[] {
  const median = Array.from({ length: width }, (_, i) => {
    const sorted = members.map((index) => rows[index * width + i]!).sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  });
  const spread = median.map((middle, i) => {
    const sorted = members.map((index) => Math.abs(rows[index * width + i]! - middle)).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] || 1;
  });
  return mostCentral(
    members,
    members.map((index) =>
      median.reduce((sum, middle, i) => sum + ((rows[index * width + i]! - middle) / spread[i]!) ** 2, 0),
    ),
  );
}

function mostCentral(members: readonly number[], distances: readonly number[]): readonly number[] {
  const order = [...members.keys()].sort((one, other) => distances[one]! - distances[other]! || one - other);
  return order
    .slice(0, Math.ceil(CORE * members.length))
    .map((position) => members[position]!)
    .sort((one, other) => one - other);
}
