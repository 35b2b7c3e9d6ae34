export { betaProbability, betaQuantile, logGamma } from './beta-distribution.js';
export { clopperPearson, type Interval, proportionAtLeast } from './clopper-pearson.js';
export { confidenceSequence } from './confidence-sequence.js';
export { equalFrequencies, type Tally } from './equal-frequencies.js';
export { normalQuantile } from './normal-distribution.js';
