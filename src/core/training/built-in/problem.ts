import type { Dataset } from '../../data/index.js';
import type { BuiltInParameters } from '../../spec/index.js';
import type { Layer } from './layers.js';

/** All that determines what the built-in trainer learns. */
export interface Problem {
  readonly layers: readonly Layer[];
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly classes: number;
  readonly train: Dataset;
  readonly validation: Dataset;
  /** Valid range of each input value, in the units that the model sees. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  readonly parameters: BuiltInParameters;
  readonly seed: number;
}
