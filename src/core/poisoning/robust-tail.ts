import { normalQuantile } from '../statistics/index.js';

/** Quantiles that the tail is made out from: poison that is fewer than the complement of the last does not set them. */
const SHOULDER = 0.75;
const ELBOW = 0.9;
/** Of the search for the tail's weight: heavier than this, nothing would ever stand out. */
const [HEAVIEST, HALVINGS] = [2, 50];

/**
 * Where the upper tail of honest scores begins, when the scores of most samples are honest: the quantile that the false-alarm
 * rate leaves above it, of the distribution that has their median and their quantiles 0.75 and 0.9. It is normal above the
 * median, or has a heavier tail if those say so (Tukey's g), never a lighter one. Only the upper half is looked at, since
 * scores are often skewed.
 *
 * Source: Hoaglin, "Summarizing shape numerically: the g-and-h distributions", in "Exploring data tables, trends, and shapes",
 * 1985; Rousseeuw, Hubert, "Robust statistics for outlier detection", WIREs Data Mining and Knowledge Discovery 1 (2011).
 *
 * @param scores - at least one, finite
 * @param falseAlarmRate - share of honest scores above, in (0, 0.5)
 */
export function robustTail(scores: Float64Array, falseAlarmRate: number): number {
  const sorted = scores.slice().sort();
  const middle = quantile(sorted, 0.5);
  const near = quantile(sorted, SHOULDER) - middle;
  const far = quantile(sorted, ELBOW) - middle;
  const weight = tailWeight(near > 0 ? far / near : 0);
  const reach = (probability: number): number => bent(normalQuantile(probability), weight);
  return middle + (near / reach(SHOULDER)) * reach(1 - falseAlarmRate);
}

/** Tukey's g, at which the two quantiles lie apart as given; 0 where a normal distribution's do not lie nearer. */
function tailWeight(ratio: number): number {
  const ratioAt = (g: number): number => bent(normalQuantile(ELBOW), g) / bent(normalQuantile(SHOULDER), g);
  if (ratio <= ratioAt(0)) return 0;
  let [low, high] = [0, HEAVIEST];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (ratioAt(middle) < ratio) low = middle;
    else high = middle;
  }
  return low;
}

/** A normal quantile on a scale that grows exponentially: the straight one for g = 0. */
function bent(z: number, g: number): number {
  return g === 0 ? z : Math.expm1(g * z) / g;
}

/** Linear between the ordered values. */
function quantile(sorted: Float64Array, probability: number): number {
  const at = probability * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (at - Math.floor(at)) * (above - below);
}
