import { cleanPosterior, noiseModel } from '../confident-learning.js';
import type { Detector } from '../detector.js';

/**
 * Labels that hardly anybody would have given. Models that did not see a sample say how likely each label is; what is known
 * about how labels were mixed up turns that into how likely each class is; and a label is suspect where an honest
 * labeller, who draws from those, would give one so unlikely at most at the false-alarm rate.
 *
 * Source: Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70 (2021).
 */
export const labelNoise: Detector = {
  name: 'label-noise',
  looksFor: 'labels that models trained on other samples contradict',
  async detect({ labels, classes: names }, { falseAlarmRate, outOfSample }) {
    const classes = names.length;
    const probabilities = await outOfSample();
    const noise = noiseModel(probabilities, labels, classes);
    const posterior = cleanPosterior(probabilities, noise, classes);
    const row = (index: number): Float64Array => posterior.subarray(index * classes, (index + 1) * classes);
    const scores = Float64Array.from(labels, (label, index) => {
      const own = row(index)[label]!;
      const asUnlikely = row(index).reduce((sum, other) => (other <= own ? sum + other : sum), 0);
      return 1 - Math.min(1, asUnlikely);
    });
    return {
      scores,
      threshold: 1 - falseAlarmRate,
      reason(index) {
        const likeliest = row(index).indexOf(Math.max(...row(index)));
        const [expected, own] = [likeliest, labels[index]!].map((c) => (100 * row(index)[c]!).toFixed(1));
        return `expected class ${names[likeliest]} (${expected} %), got class ${names[labels[index]!]} (${own} %)`;
      },
      figures: { 'estimated share of wrong labels': noise.share },
    };
  },
};
