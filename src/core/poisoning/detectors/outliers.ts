import type { Detector } from '../detector.js';
import { nearestOthers } from '../nearest.js';
import { robustTail } from '../robust-tail.js';

/** Neighbours whose mean distance is taken: few enough to stay near, many enough that a pair of outliers stands out. */
const NEIGHBOURS = 10;

/**
 * Samples far from all others: the mean distance to the nearest ten, on a logarithmic scale, on which honest data are about
 * normal.
 *
 * Source: Ramaswamy, Rastogi, Shim, "Efficient algorithms for mining outliers from large data sets", SIGMOD 2000;
 * Angiulli, Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002 (mean distance).
 */
export const outliers: Detector = {
  name: 'outliers',
  looksFor: 'inputs unlike all others',
  async detect(data, { seed, falseAlarmRate, signal }) {
    const { distances, k } = nearestOthers(data, NEIGHBOURS, seed, signal);
    const means = Float64Array.from(data.ids, (_, index) =>
      distances.subarray(index * k, (index + 1) * k).reduce((sum, distance) => sum + distance / k, 0),
    );
    // Copies lie at no distance: they are no outliers, and have no logarithm.
    const least = means.reduce(
      (low, mean) => (mean > 0 ? Math.min(low, mean) : low),
      Number.POSITIVE_INFINITY,
    );
    const scores = means.map((mean) => Math.log(Math.max(mean, Number.isFinite(least) ? least : 1)));
    const threshold = robustTail(scores, falseAlarmRate);
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected other samples within ${Math.exp(threshold).toFixed(2)} of the range, got ${means[index]!.toFixed(2)} on average to the nearest ${k}`,
      figures: {},
    };
  },
};
