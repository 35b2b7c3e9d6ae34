export { benjaminiHochberg } from './benjamini-hochberg.js';
export { betaProbability, betaQuantile, logGamma } from './beta-distribution.js';
export { blockDiscrepancy } from './block-discrepancy.js';
export {
  chiSquareTail,
  noncentralChiSquareProbability,
  noncentralityInterval,
} from './chi-square-distribution.js';
export { clopperPearson, type Interval, proportionAtLeast } from './clopper-pearson.js';
export { confidenceSequence } from './confidence-sequence.js';
export {
  chiSquare,
  jensenShannon,
  kolmogorovSmirnov,
  populationStability,
  type Shift,
  type ShiftMeasure,
} from './distribution-shift.js';
export { equalFrequencies, type Tally } from './equal-frequencies.js';
export { normalQuantile } from './normal-distribution.js';
