import type { Dataset } from '../../data/index.js';
import type { BuiltInParameters } from '../../spec/index.js';
import type { Network } from './network.js';

/** All that determines what the built-in trainer learns. */
export interface Problem {
  readonly network: Network;
  readonly train: Dataset;
  /** Row-major [n, classes], rows that sum to 1: what the samples' answers should be, where a label says too little. */
  readonly targets?: Float32Array;
  readonly validation: Dataset;
  /** Valid range of each input value, in the units that the model sees. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  readonly parameters: BuiltInParameters;
  readonly seed: number;
}
