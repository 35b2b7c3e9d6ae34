import type { Detector } from './detector.js';
import { labelNoise } from './detectors/label-noise.js';
import { outliers } from './detectors/outliers.js';

/** Every detector, in the order in which reports name them. */
export const detectors: readonly Detector[] = [labelNoise, outliers];
