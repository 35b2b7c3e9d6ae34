import type { Votes } from '../../crowd/index.js';
import type { TextFeatures } from '../../spec/index.js';
import type { Dataset } from '../dataset.js';
import type { InputFeature } from '../snapshot.js';
import type { NumpyData } from './npy.js';

/** What the user says of a source; what is left out is taken from the source, and {@link SampleSet.notes} says so. */
export interface SampleOptions {
  /** Column, or array of an archive, that holds the labels. */
  readonly label?: string;
  /** Column that names each sample. */
  readonly id?: string;
  /** Columns that the model sees, in its order. */
  readonly columns?: readonly string[];
  /** Labels by class index. */
  readonly classes?: readonly (string | number)[];
  /** Number of classes that the model tells apart: no label may be beyond. */
  readonly classCount?: number;
  /** Shape of one sample as the model sees it. */
  readonly shape?: readonly number[];
  /** `unit`: the model sees (value − low) / (high − low) of the range. Default `none`. */
  readonly scale?: 'none' | 'unit';
  /** Smallest and largest valid value, in units of the source. */
  readonly range?: readonly [low: number, high: number];
  readonly signal?: AbortSignal;
}

/** Labelled samples as a model sees them, and the box that an adversarial example must stay in. */
export interface SampleSet {
  readonly samples: Dataset;
  /** Labels by class index. */
  readonly classes: readonly (string | number)[];
  /** Valid range of each input value, in the units that the model sees (length: one sample's size). */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /** Of one sample, such as [1, 8, 8]. */
  readonly shape: readonly number[];
  /** Names of the input values, where the source has names for them. */
  readonly columns?: readonly string[];
  /** What a lifecycle says of each input value, where one describes the source. */
  readonly features?: readonly InputFeature[];
  /** Where inputs are made of texts, as a lifecycle says: the text of each sample, and how it became numbers. */
  readonly text?: { readonly texts: readonly string[]; readonly features: TextFeatures };
  /** Who said what of which sample, where labels are a crowd's. */
  readonly crowd?: { readonly contributors: readonly string[]; readonly votes: Votes };
  /** Sentences about what nobody said and the source or its name suggested. */
  readonly notes: readonly string[];
}

/** Samples as a source holds them. */
export interface RawSamples {
  /** Unique. */
  readonly ids: readonly string[];
  /** ids.length · size values, row-major, in units of the source. */
  readonly values: Exclude<NumpyData, BigInt64Array | BigUint64Array>;
  readonly labels: readonly (string | number)[];
  /** Of one sample, as the source lays it out. */
  readonly shape: readonly number[];
  readonly columns?: readonly string[];
  readonly notes: readonly string[];
}
