import type { Application } from '../../../onnx/index.js';
import type { Activation } from '../activation.js';
import type { LinearMap } from '../linear-map.js';

/** One use of an operator on a sample: inputs are computed from it (live) or constant, and all lengths are numbers. */
export interface Use extends Application {
  isLive(i: number): boolean;
  /** Elements of constant input `i`, row-major; refuses where it is live. */
  constant(i: number): Float64Array;
  /** Shape of input `i`. */
  dims(i: number): readonly number[];
  /** Shape of output `i`. */
  resultDims(i: number): readonly number[];
  /** Where each element of output `i` comes from, of a node that only moves numbers: asked of the runtime. */
  movement(i: number): Movement;
}

/** Where numbers go. */
export interface Movement {
  /** By element of the output: its place in the node's live inputs, one after the other; −1 for a constant. */
  readonly sources: Int32Array;
  /** By element of the output: its value where it is a constant, else 0. */
  readonly constants: Float64Array;
}

/** An affine result: W·x of each live input, and what is added. */
export interface AffineRule {
  readonly kind: 'affine';
  readonly terms: readonly { readonly input: number; readonly map: LinearMap }[];
  readonly bias?: Float64Array;
  /** Where the runtime may add more than |bias| to get it. */
  readonly biasMagnitude?: Float64Array;
  /** Most roundings on the way of a term; see `Affine` of the network. */
  readonly roundings: number;
}

export interface ElementwiseRule {
  readonly kind: 'elementwise';
  /** Of each element of the result, row-major. */
  activationOf(element: number): Activation;
}

export interface MaximumRule {
  readonly kind: 'maximum';
  readonly starts: Int32Array;
  readonly sources: Int32Array;
}

/** What an operator does to numbers. Elementwise rules and maxima are about input 0. */
export type Rule = AffineRule | ElementwiseRule | MaximumRule;

/**
 * An operator that can be bounded. Affine operators state their linear map, nonlinear ones their function; interval and
 * linear bounds of both follow from that alone (`intervals.ts`, `backward.ts`). To add one: export one value of this
 * interface, list it in `registry.ts`, and have the soundness test draw it.
 */
export interface BoundedOperator {
  readonly opType: string;
  /** Whether it only moves numbers about, so that `movement` may be asked. */
  readonly isMovement?: true;
  /** @returns one rule an output that is used @throws RefusedError `operator-unsupported` naming the node */
  bind(use: Use): readonly Rule[];
}

/** The rule of an operator that does the same to all elements. */
export function everywhere(activation: Activation): readonly ElementwiseRule[] {
  return [{ kind: 'elementwise', activationOf: () => activation }];
}
