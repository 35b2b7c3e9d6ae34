import { RefusedError } from '../errors/index.js';
import { differentiate } from './differentiate.js';
import { attribute, type GraphBuilder, graphBuilder } from './graph-builder.js';
import { inferFacts } from './infer-facts.js';
import type { Model, Node, ValueInfo } from './model.js';
import { negate, reduceSum, scalar, unsqueeze, where } from './operators/emit.js';
import { int64Tensor } from './tensor.js';

/** Names of the inputs and outputs of a loss-gradient model. */
export const lossGradientNames = {
  input: 'input',
  labels: 'labels',
  loss: 'loss',
  gradient: 'gradient',
  logits: 'logits',
} as const;

/**
 * Builds from a classifier the model that an attacker with its file would build.
 *
 * Inputs: `input` float [N, …] and `labels` int64 [N], each from 0 to C − 1. Outputs: `loss` float [N], each sample's
 * cross-entropy; `gradient` float [N, …], of each sample's own loss with respect to its own input, whatever the batch;
 * `logits` float [N, C]. A final Softmax is looked through, since its saturation would hide gradients; so `logits`
 * are then the values before it. A label outside 0 … C − 1 gives the loss NaN.
 *
 * @param model - a classifier with one float input [N, …] and one float output [N, C]
 * @throws RefusedError `operator-unsupported` naming the node or the value that is not as expected
 */
export function lossGradientModel(model: Model): Model {
  const { graph, opset } = model;
  const input = onlyFloat(graph.inputs, 'input');
  const output = onlyFloat(graph.outputs, 'output');
  const batch = input.dims[0] || 'N';
  const dims = [batch, ...input.dims.slice(1)];
  const renamed = (name: string): string => (name === input.name ? lossGradientNames.input : `model/${name}`);

  const b = graphBuilder(opset);
  b.input(lossGradientNames.input, 'float', dims);
  b.input(lossGradientNames.labels, 'int64', [batch]);
  b.import(graph, renamed);
  const logits = renamed(beforeSoftmax(graph.nodes, output.name));
  const [rows, classes, ...more] = inferFacts(b.build(), opset).get(logits)?.dims ?? [];
  if (rows !== batch || typeof classes !== 'number' || more.length > 0) {
    throw new RefusedError(
      'operator-unsupported',
      `output ${output.name}: expected shape [${batch}, classes], got [${[rows, classes, ...more].join(', ')}]`,
    );
  }
  const loss = crossEntropy(b, logits, classes);
  const gradients = differentiate(b, loss, [lossGradientNames.input]);
  b.output(lossGradientNames.loss, 'float', [batch], loss);
  b.output(lossGradientNames.gradient, 'float', dims, gradients[lossGradientNames.input]);
  b.output(lossGradientNames.logits, 'float', [batch, classes], logits);
  return b.toModel();
}

function onlyFloat(values: readonly ValueInfo[], what: string): ValueInfo {
  const [value, ...others] = values;
  if (value?.type !== 'float' || others.length > 0) {
    const got = values.map(({ name, type }) => `${type} ${name}`).join(', ') || 'none';
    throw new RefusedError('operator-unsupported', `expected one float ${what}, got ${got}`);
  }
  return value;
}

/** The value that a classifier's final Softmax is taken of; the output itself where there is none. */
function beforeSoftmax(nodes: readonly Node[], output: string): string {
  const last = nodes.find(({ outputs }) => outputs.includes(output));
  if (last?.opType === 'Identity') return beforeSoftmax(nodes, last.inputs[0]!);
  // Of [N, classes], the last axis or axis 1: over axis 0 it would mix samples, and is no classifier's Softmax.
  const axis = last?.attributes.axis;
  const overClasses = axis?.kind !== 'int' || axis.value === 1 || axis.value === -1;
  return last?.opType === 'Softmax' && overClasses ? last.inputs[0]! : output;
}

/** −log softmax(logits)[label] of each sample; by a mask, since 0·(−∞) would spoil a sum over one-hot products. */
function crossEntropy(b: GraphBuilder, logits: string, classes: number): string {
  const { labels } = lossGradientNames;
  const numbers = b.constant(
    int64Tensor(
      [1, classes],
      Array.from({ length: classes }, (_, i) => i),
    ),
    'classes',
  );
  const [isLabel] = b.op('Equal', [unsqueeze(b, labels, [1]), numbers]);
  const [logProbabilities] = b.op('LogSoftmax', [logits], { axis: attribute.int(1) });
  const chosen = reduceSum(b, where(b, isLabel, logProbabilities, scalar(b, 0)), [1], false);
  const [below] = b.op('Less', [labels, b.constant(int64Tensor([], [0]), 'first')]);
  const [above] = b.op('Greater', [labels, b.constant(int64Tensor([], [classes - 1]), 'last')]);
  return where(b, b.op('Or', [below, above])[0], scalar(b, Number.NaN), negate(b, chosen));
}
