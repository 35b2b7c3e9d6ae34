import {
  attribute,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  int64Vector,
} from '../../onnx/index.js';
import type { BuiltInParameters } from '../../spec/index.js';
import { addNetwork, addWeights } from './forward.js';
import { type Layer, product, weightsOf } from './layers.js';

/** Version of the operator set of every graph the trainer makes. */
export const opset = 17;

/** AdamW's decay rates of the first and the second moment. */
export const beta1 = 0.9;
export const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * One optimiser step as one model: forward, backward and AdamW over one flat parameter vector, which is faster than a
 * tensor a weight. Inputs `theta`, `firstMoment`, `secondMoment` [P], `input` [N, …shape], `targets` [N, classes] one-hot,
 * `firstCorrection` and `secondCorrection` (1 / (1 − βᵗ)); outputs `loss` (mean over N), `nextTheta`, `nextFirstMoment`,
 * `nextSecondMoment`.
 *
 * Source: Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2, with α = learning rate and
 * the weight decay scaled by it, as PyTorch does.
 */
export function stepModel(
  layers: readonly Layer[],
  shape: readonly number[],
  classes: number,
  { learningRate, weightDecay }: BuiltInParameters,
): Uint8Array {
  const builder = graphBuilder(opset);
  const count = parameterCount(layers);
  const { theta, loss } = addLoss(builder, layers, shape, classes);
  const firstMoment = builder.input('firstMoment', 'float', [count]);
  const secondMoment = builder.input('secondMoment', 'float', [count]);
  const firstCorrection = builder.input('firstCorrection', 'float', []);
  const secondCorrection = builder.input('secondCorrection', 'float', []);
  const gradient = differentiate(builder, loss, [theta])[theta]!;

  const scale = (value: string, factor: number, name: string): string =>
    builder.op('Mul', [value, builder.constant(floatTensor([], [factor]), name)])[0];
  const sum = (a: string, b: string): string => builder.op('Add', [a, b])[0];
  const first = sum(scale(firstMoment, beta1, 'beta1'), scale(gradient, 1 - beta1, 'oneMinusBeta1'));
  const squared = builder.op('Mul', [gradient, gradient])[0];
  const second = sum(scale(secondMoment, beta2, 'beta2'), scale(squared, 1 - beta2, 'oneMinusBeta2'));
  const [root] = builder.op('Sqrt', [builder.op('Mul', [second, secondCorrection])[0]]);
  const [direction] = builder.op('Div', [
    builder.op('Mul', [first, firstCorrection])[0],
    sum(root, builder.constant(floatTensor([], [epsilon]), 'epsilon')),
  ]);
  const [next] = builder.op('Sub', [
    scale(theta, 1 - learningRate * weightDecay, 'decay'),
    scale(direction, learningRate, 'learningRate'),
  ]);
  builder.output('loss', 'float', [], loss);
  builder.output('nextTheta', 'float', [count], next);
  builder.output('nextFirstMoment', 'float', [count], first);
  builder.output('nextSecondMoment', 'float', [count], second);
  return encodeModel(builder.toModel());
}

/**
 * One step of PGD as one model: inputs `theta` [P], `input`, `lower` and `upper` [N, …shape], `targets` [N, classes] and
 * `stepSize`; output `next`, the input moved by `stepSize` up the sign of the loss's gradient and back into the bounds.
 */
export function ascentModel(layers: readonly Layer[], shape: readonly number[], classes: number): Uint8Array {
  const builder = graphBuilder(opset);
  const { input, loss } = addLoss(builder, layers, shape, classes);
  const lower = builder.input('lower', 'float', ['N', ...shape]);
  const upper = builder.input('upper', 'float', ['N', ...shape]);
  const stepSize = builder.input('stepSize', 'float', []);
  const [sign] = builder.op('Sign', [differentiate(builder, loss, [input])[input]!]);
  const [moved] = builder.op('Add', [input, builder.op('Mul', [sign, stepSize])[0]]);
  const [inside] = builder.op('Min', [builder.op('Max', [moved, lower])[0], upper]);
  builder.output('next', 'float', ['N', ...shape], inside);
  return encodeModel(builder.toModel());
}

/** The network with its weights as an input: `theta` [P] and `input` [N, …shape] to `logits` [N, classes]. */
export function logitsModel(layers: readonly Layer[], shape: readonly number[], classes: number): Uint8Array {
  const builder = graphBuilder(opset);
  const { logits } = addForward(builder, layers, shape);
  builder.output('logits', 'float', ['N', classes], logits);
  return encodeModel(builder.toModel());
}

function addForward(builder: GraphBuilder, layers: readonly Layer[], shape: readonly number[]) {
  const theta = builder.input('theta', 'float', [parameterCount(layers)]);
  const input = builder.input('input', 'float', ['N', ...shape]);
  const logits = addNetwork(builder, layers, input, addWeights(builder, weightsOf(layers), theta));
  return { theta, input, logits };
}

/** Adds the network and its mean cross-entropy over the batch. */
function addLoss(builder: GraphBuilder, layers: readonly Layer[], shape: readonly number[], classes: number) {
  const { theta, input, logits } = addForward(builder, layers, shape);
  const targets = builder.input('targets', 'float', ['N', classes]);
  const [logProbabilities] = builder.op('LogSoftmax', [logits], { axis: attribute.int(1) });
  const [chosen] = builder.op('Mul', [logProbabilities, targets]);
  const [likelihood] = builder.op('ReduceSum', [chosen, builder.constant(int64Vector([1]), 'classAxis')], {
    keepdims: attribute.int(0),
  });
  const [mean] = builder.op('ReduceMean', [likelihood], {
    axes: attribute.ints([0]),
    keepdims: attribute.int(0),
  });
  const [loss] = builder.op('Neg', [mean]);
  return { theta, input, loss };
}

function parameterCount(layers: readonly Layer[]): number {
  return weightsOf(layers).reduce((total, { dims }) => total + product(dims), 0);
}
