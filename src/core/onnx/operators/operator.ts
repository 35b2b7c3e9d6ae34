import type { GraphBuilder } from '../graph-builder.js';
import type { Axis, DataType, Node } from '../model.js';

/** What is known about a value before any input is seen. */
export interface Fact {
  readonly type: DataType;
  readonly dims: readonly Axis[];
  /** Values of a small tensor, row-major, where they are known: lengths may be symbolic. */
  readonly elements?: readonly Axis[];
}

/** One use of an operator in a graph: its node, and what is known about its inputs. */
export interface Application {
  readonly node: Node;
  readonly opset: number;
  /** Whether input `i` is given. */
  has(i: number): boolean;
  /** What is known about input `i`; refuses where it is left out. */
  fact(i: number): Fact;
  /** Known values of input `i`, such as a shape or axes; refuses where they are computed at run time. */
  elements(i: number): readonly Axis[];
  /** Like `elements`, refusing symbolic lengths as well. */
  integers(i: number): readonly number[];
  int(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  string(name: string, fallback: string): string;
  ints(name: string): readonly number[] | undefined;
  /** @throws RefusedError `operator-unsupported` naming this node and operator */
  refuse(reason: string): never;
}

/** An application whose outputs are known, in a graph that is being extended by the way back. */
export interface BackwardApplication extends Application {
  readonly b: GraphBuilder;
  /** Name of input `i`. */
  x(i: number): string;
  /** Name of output `i`. */
  y(i: number): string;
  /** What is known about output `i`. */
  result(i: number): Fact;
  /** Gradients of the loss with respect to the outputs; `undefined` where the loss does not depend on one. */
  readonly outputGradients: readonly (string | undefined)[];
}

/** Appends the nodes of one input's gradient and returns its name. Called only when that gradient is wanted. */
export type GradientRule = () => string;

/**
 * A differentiable operator of the standard domain, forward shape rule and backward rule side by side. To add one:
 * export one value of this interface, list it in `registry.ts`, store reference gradients in the tests.
 */
export interface Operator {
  readonly opType: string;
  /** Types and shapes of the outputs, and their values where they are known. */
  infer(at: Application): readonly Fact[];
  /**
   * Rules for the inputs, in order; `undefined` where the operator has no derivative. `flat`: the output moves in steps,
   * as a comparison, an index or a rounded number does, so that the derivative is truly zero. `constant`: the output does
   * not depend on the values of the inputs at all, as a shape does not.
   *
   * @param dY - gradient of the first output
   */
  readonly backward:
    | ((at: BackwardApplication, dY: string) => readonly (GradientRule | undefined)[])
    | 'flat'
    | 'constant';
  /** Whether `backward` estimates what has no derivative of use. Then gradients pass through outputs of integers too. */
  readonly isEstimate?: true;
}
