import type { Detector } from './detector.js';
import { activationClustering } from './detectors/activation-clustering.js';
import { association } from './detectors/association.js';
import { contributors } from './detectors/contributors.js';
import { deepNeighbours } from './detectors/deep-neighbours.js';
import { isolationForest } from './detectors/isolation-forest.js';
import { labelNoise } from './detectors/label-noise.js';
import { localOutliers } from './detectors/local-outliers.js';
import { mahalanobis } from './detectors/mahalanobis.js';
import { nearDuplicates } from './detectors/near-duplicates.js';
import { outliers } from './detectors/outliers.js';
import { spectralSignatures } from './detectors/spectral-signatures.js';
import { triggerSearch } from './detectors/trigger-search.js';

/** Every detector, in the order in which reports name them. */
export const detectors: readonly Detector[] = [
  labelNoise,
  outliers,
  localOutliers,
  isolationForest,
  mahalanobis,
  nearDuplicates,
  association,
  spectralSignatures,
  activationClustering,
  deepNeighbours,
  triggerSearch,
  contributors,
];
