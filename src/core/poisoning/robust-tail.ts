import { normalQuantile } from '../statistics/index.js';

/** The deviation is taken of this quantile above the median: poison below its complement does not move it. */
const SHOULDER = 0.75;

/**
 * Where the upper tail of honest scores begins, when the scores of most samples are honest and about normal above their
 * median: the median, plus the normal quantile of the false-alarm rate in deviations that a minority cannot move. Only the
 * upper half is looked at, since scores are often skewed.
 *
 * Source: Rousseeuw, Hubert, "Robust statistics for outlier detection", WIREs Data Mining and Knowledge Discovery 1 (2011).
 *
 * @param scores - at least one, finite
 * @param falseAlarmRate - share of honest scores above, in (0, 0.5)
 */
export function robustTail(scores: Float64Array, falseAlarmRate: number): number {
  const sorted = scores.slice().sort();
  const middle = quantile(sorted, 0.5);
  const deviation = (quantile(sorted, SHOULDER) - middle) / normalQuantile(SHOULDER);
  return middle + deviation * normalQuantile(1 - falseAlarmRate);
}

/** Linear between the ordered values. */
function quantile(sorted: Float64Array, probability: number): number {
  const at = probability * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (at - Math.floor(at)) * (above - below);
}
