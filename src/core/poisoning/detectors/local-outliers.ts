import type { Detector } from '../detector.js';
import { nearestOthers } from '../nearest.js';
import { robustTail } from '../robust-tail.js';

/** Of the source's experiments, the middle of where ranks are stable. */
const NEIGHBOURS = 20;

/**
 * Samples in places much emptier than those of their neighbours, so that what is far from a dense group stands out though
 * other groups are wider: the local outlier factor, on a logarithmic scale.
 *
 * Source: Breunig, Kriegel, Ng, Sander, "LOF: identifying density-based local outliers", SIGMOD 2000.
 */
export const localOutliers: Detector = {
  name: 'local-outliers',
  looksFor: 'inputs in places emptier than those around them',
  async detect(data, { seed, falseAlarmRate, signal }) {
    const { indices, distances, k } = nearestOthers(data, NEIGHBOURS, seed, signal);
    const n = data.ids.length;
    const farthest = (index: number): number => distances[index * k + k - 1] ?? 0;
    // Copies have no distance; a smallest one keeps densities finite.
    const least = 1e-6 * (distances.reduce((most, distance) => Math.max(most, distance), 0) || 1);
    const density = Float64Array.from({ length: n }, (_, index) => {
      let reach = 0;
      for (let i = 0; i < k; i++) {
        const other = indices[index * k + i]!;
        reach += Math.max(farthest(other), distances[index * k + i]!, least);
      }
      return k / reach;
    });
    const factors = density.map((own, index) => {
      let around = 0;
      for (let i = 0; i < k; i++) around += density[indices[index * k + i]!]! / k;
      return around / own;
    });
    const scores = factors.map((factor) => Math.log(factor));
    const threshold = robustTail(scores, falseAlarmRate);
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected a place at most ${Math.exp(threshold).toFixed(2)} times as empty as those of its ${k} neighbours, got ${factors[index]!.toFixed(2)} times`,
      figures: {},
    };
  },
};
