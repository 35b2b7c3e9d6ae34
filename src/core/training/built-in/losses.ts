import { attribute, floatTensor, type GraphBuilder, int64Vector } from '../../onnx/index.js';

/** Nodes that losses are written with, in the form that the graph's operator set wants. */

export const scaled = (b: GraphBuilder, value: string, factor: number, name: string): string =>
  b.op('Mul', [value, b.constant(floatTensor([], [factor]), name)])[0];

export const sum = (b: GraphBuilder, x: string, y: string): string => b.op('Add', [x, y])[0];

/** Sums over axes, which stay as axes of length 1 if `keep`. */
export function sumOver(b: GraphBuilder, value: string, axes: readonly number[], keep: boolean): string {
  return b.op('ReduceSum', [value, b.constant(int64Vector(axes), 'axes')], {
    keepdims: attribute.int(keep ? 1 : 0),
  })[0];
}

/** Maxima over axes, which stay as axes of length 1. */
export function maximumOver(b: GraphBuilder, value: string, axes: readonly number[]): string {
  if (b.opset < 18) return b.op('ReduceMax', [value], { axes: attribute.ints(axes) })[0];
  return b.op('ReduceMax', [value, b.constant(int64Vector(axes), 'axes')])[0];
}

/** The mean of [N], without axes. */
export function meanOf(b: GraphBuilder, value: string): string {
  const keepdims = attribute.int(0);
  if (b.opset < 18) return b.op('ReduceMean', [value], { axes: attribute.ints([0]), keepdims })[0];
  return b.op('ReduceMean', [value, b.constant(int64Vector([0]), 'axes')], { keepdims })[0];
}

export const logSoftmax = (b: GraphBuilder, logits: string): string =>
  b.op('LogSoftmax', [logits], { axis: attribute.int(1) })[0];

/** Σ targets · log softmax(logits) of each sample, [N]. @param targets - [N, classes], rows that sum to 1 */
export const logLikelihood = (b: GraphBuilder, logits: string, targets: string): string =>
  sumOver(b, b.op('Mul', [logSoftmax(b, logits), targets])[0], [1], false);

/** Mean cross-entropy over the batch. */
export const meanCrossEntropy = (b: GraphBuilder, logits: string, targets: string): string =>
  b.op('Neg', [meanOf(b, logLikelihood(b, logits, targets))])[0];
