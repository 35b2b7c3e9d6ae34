import type { BrokenDefence } from './defence.js';
import { decoys } from './defences/decoys.js';
import { detectors } from './defences/detectors.js';
import { ensembles } from './defences/ensembles.js';
import { purifiers } from './defences/purifiers.js';
import { randomness } from './defences/randomness.js';
import { rounding } from './defences/rounding.js';
import { saturation } from './defences/saturation.js';

/** The zoo: none of these may pass. */
export const brokenDefences: readonly BrokenDefence[] = [
  ...rounding,
  ...saturation,
  ...randomness,
  ...purifiers,
  ...detectors,
  ...ensembles,
  ...decoys,
];
