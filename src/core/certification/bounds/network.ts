import type { Activation } from './activation.js';
import type { LinearMap } from './linear-map.js';

/** y = Σ W·x + b over one value or several. */
export interface Affine {
  readonly kind: 'affine';
  readonly terms: readonly { readonly value: number; readonly map: LinearMap }[];
  readonly bias: Float64Array;
  /** At least the sum of the absolute values that the runtime may add up to the bias. */
  readonly biasMagnitude: Float64Array;
  /** Most roundings of the runtime on the way from an input, or a constant, to an output; 0 where values only move. */
  readonly roundings: number;
}

/** y = f(x), element by element. */
export interface Elementwise {
  readonly kind: 'elementwise';
  readonly value: number;
  activationOf(element: number): Activation;
}

/** Each output is the largest of some elements of x. */
export interface Maximum {
  readonly kind: 'maximum';
  readonly value: number;
  /** Where each output's elements begin in `sources`; one more for the end. */
  readonly starts: Int32Array;
  readonly sources: Int32Array;
}

/** What an operator does to one sample, as bounds see it. `value` is an index into the network's values. */
export type Step = Affine | Elementwise | Maximum;

/** A classifier for one sample at a time, its constants worked out. */
export interface Network {
  /** Length of each value: the input first, then the result of each step in order. */
  readonly sizes: readonly number[];
  /** Step i computes value i + 1. */
  readonly steps: readonly Step[];
  /** Which value the logits are. */
  readonly logits: number;
  readonly classes: number;
  /** Whether the model gives their Softmax. */
  readonly hasSoftmax: boolean;
}
