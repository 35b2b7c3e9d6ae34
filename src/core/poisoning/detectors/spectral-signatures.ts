import { byClass } from '../by-class.js';
import type { Detector } from '../detector.js';
import { hiddenOf } from '../embedding.js';
import { alongAxes, principalAxes } from '../principal-axes.js';
import { robustTail } from '../robust-tail.js';

/**
 * Samples that stick out along the axis on which their class varies most in what a network learned: a trigger that decides
 * the class is such an axis. Scores are squared, as in the source, in deviations of the class, and on a scale on which honest
 * ones are about normal.
 *
 * Source: Tran, Li, Mądry, "Spectral signatures in backdoor attacks", NeurIPS 2018, algorithm 1.
 */
export const spectralSignatures: Detector = {
  name: 'spectral-signatures',
  looksFor: 'samples that stick out along the main axis of their class in what a network learned',
  async detect(data, { falseAlarmRate, embedding }) {
    const learned = await embedding();
    const hidden = hiddenOf(data.inputs, learned);
    const outlyingness = new Float64Array(data.ids.length);
    for (const members of byClass(data.labels, data.classes.length)) {
      const along = alongAxes(hidden, principalAxes(hidden, learned.width, members), 1);
      const sorted = members.map((index) => along[index]!).sort((one, other) => one - other);
      const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
      const middle = at(0.5);
      // Each side by its own spread: classes are skewed.
      const above = at(0.75) - middle || 1;
      const below = middle - at(0.25) || 1;
      for (const index of members) {
        const away = along[index]! - middle;
        outlyingness[index] = (away / (away > 0 ? above : below)) ** 2;
      }
    }
    // Wilson and Hilferty: the cube root of a chi-square variable is about normal.
    const scores = outlyingness.map((square) => Math.cbrt(square));
    const threshold = robustTail(scores, falseAlarmRate);
    return {
      scores,
      threshold,
      reason: (index) =>
        `expected at most ${Math.sqrt(threshold ** 3).toFixed(1)} quartile distances from the middle of its class, got ${Math.sqrt(outlyingness[index]!).toFixed(1)}`,
      figures: {},
    };
  },
};
