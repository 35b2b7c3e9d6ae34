import { attribute, type GraphBuilder } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { floatTensor, int64Vector } from '../tensor.js';

/** Nodes that many rules write, in the form that the graph's operator set wants. */

/** A float constant without axes. */
export const scalar = (b: GraphBuilder, value: number): string =>
  b.constant(floatTensor([], [value]), 'scalar');

/** An int64 vector constant. */
export const vector = (b: GraphBuilder, values: readonly number[]): string =>
  b.constant(int64Vector(values), 'ints');

export const add = (b: GraphBuilder, x: string, y: string): string => b.op('Add', [x, y])[0];
export const subtract = (b: GraphBuilder, x: string, y: string): string => b.op('Sub', [x, y])[0];
export const multiply = (b: GraphBuilder, x: string, y: string): string => b.op('Mul', [x, y])[0];
export const divide = (b: GraphBuilder, x: string, y: string): string => b.op('Div', [x, y])[0];
export const negate = (b: GraphBuilder, x: string): string => b.op('Neg', [x])[0];
export const shapeOf = (b: GraphBuilder, x: string): string => b.op('Shape', [x])[0];
export const where = (b: GraphBuilder, condition: string, x: string, y: string): string =>
  b.op('Where', [condition, x, y])[0];

export const squared = (b: GraphBuilder, x: string): string => multiply(b, x, x);
export const reciprocal = (b: GraphBuilder, x: string): string => b.op('Reciprocal', [x])[0];

/** Truth values or integers as floats. */
export const floatOf = (b: GraphBuilder, x: string): string => b.op('Cast', [x], { to: attribute.int(1) })[0];

/** `x` times a constant; `x` itself for 1. */
export const scale = (b: GraphBuilder, x: string, factor: number): string =>
  factor === 1 ? x : multiply(b, x, scalar(b, factor));

/** `x` in the shape of `like`, which has as many elements. */
export const reshapeLike = (b: GraphBuilder, x: string, like: string): string =>
  b.op('Reshape', [x, shapeOf(b, like)])[0];

/** Zeros in the shape of `like`. */
export const zerosLike = (b: GraphBuilder, like: string): string =>
  b.op('ConstantOfShape', [shapeOf(b, like)])[0];

/** Ones in the shape of `like`. */
export const onesLike = (b: GraphBuilder, like: string): string =>
  b.op('ConstantOfShape', [shapeOf(b, like)], { value: attribute.tensor(floatTensor([1], [1])) })[0];

export const transpose = (b: GraphBuilder, x: string, permutation: readonly number[]): string =>
  b.op('Transpose', [x], { perm: attribute.ints(permutation) })[0];

/** Sums over axes; over none, `x` itself. */
export function reduceSum(b: GraphBuilder, x: string, axes: readonly number[], keep: boolean): string {
  if (axes.length === 0) return x;
  const keepdims = attribute.int(keep ? 1 : 0);
  if (b.opset >= 13) return b.op('ReduceSum', [x, vector(b, axes)], { keepdims })[0];
  return b.op('ReduceSum', [x], { axes: attribute.ints(axes), keepdims })[0];
}

/** Means over axes; the axes stay, with length 1. */
export const reduceMean = (b: GraphBuilder, x: string, axes: readonly number[]): string =>
  b.opset >= 18
    ? b.op('ReduceMean', [x, vector(b, axes)])[0]
    : b.op('ReduceMean', [x], { axes: attribute.ints(axes) })[0];

/** Inserts axes of length 1; none, `x` itself. */
export function unsqueeze(b: GraphBuilder, x: string, axes: readonly number[]): string {
  if (axes.length === 0) return x;
  if (b.opset >= 13) return b.op('Unsqueeze', [x, vector(b, axes)])[0];
  return b.op('Unsqueeze', [x], { axes: attribute.ints(axes) })[0];
}

/** The part of `x` from `starts` to `ends` along `axes`. */
export const slice = (
  b: GraphBuilder,
  x: string,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
): string => b.op('Slice', [x, vector(b, starts), vector(b, ends), vector(b, axes)])[0];

/**
 * Sums the gradient of a broadcast result back to the shape of one operand: the derivative of broadcasting.
 *
 * @param from - shape of the result
 * @param to - shape of the operand
 */
export function reduceTo(
  b: GraphBuilder,
  gradient: string,
  from: readonly Axis[],
  to: readonly Axis[],
): string {
  const extra = from.length - to.length;
  const leading = Array.from({ length: extra }, (_, i) => i);
  const stretched = to.flatMap((axis, i) => (axis === 1 && from[i + extra] !== 1 ? [i + extra] : []));
  const kept = reduceSum(b, gradient, stretched, true);
  return reduceSum(b, kept, leading, false);
}
