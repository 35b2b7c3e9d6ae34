import { type Combine, elementwise } from './fold.js';
import type { BackwardApplication, Operator } from './operator.js';

/**
 * An elementwise function of one input: the type and shape stay.
 *
 * @param derive - appends dx to the graph, given dY
 * @param combine - computes the function where the input is known; left out where shapes are never computed with it
 */
export const unary = (
  opType: string,
  derive: (at: BackwardApplication, dY: string) => string,
  combine?: Combine,
): Operator => ({
  opType,
  infer: (at) => [elementwise(at, at.fact(0).type, combine)],
  backward: (at, dY) => [() => derive(at, dY)],
});
