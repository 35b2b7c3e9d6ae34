import {
  attribute,
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
} from '../../onnx/index.js';
import { scaled, sum } from './losses.js';
import type { BoundNetwork, Network } from './network.js';

/** AdamW's decay rates of the first and the second moment. */
export const beta1 = 0.9;
export const beta2 = 0.999;
const epsilon = 1e-8;

/** A step's graph while its loss is being written. */
export interface StepGraph {
  readonly builder: GraphBuilder;
  readonly network: Network;
  readonly bound: BoundNetwork;
  /** What the answers should be, [N, classes]: smoothed labels. */
  readonly targets: string;
  /** The labels themselves, one-hot. */
  readonly labels: string;
  /** Logits [N, classes] of a value [N, …shape], dropping what the step drops. */
  logits(input: string): string;
  /** Declares an input of the step of shape [N, …shape]. */
  batchInput(name: string): string;
  /** Declares an input of the step without axes. */
  scalarInput(name: string): string;
}

/**
 * One optimiser step as one model: forward, backward and AdamW over one flat parameter vector, which is faster than a
 * tensor a weight. Inputs `theta`, `firstMoment`, `secondMoment` [P], `targets` and `labels` [N, classes],
 * `firstCorrection` and `secondCorrection` (1 / (1 − βᵗ)), `learningRate`, `decay` (1 − learning rate · weight decay), the
 * masks `NAME.mask` [N, width] and what the loss declares; outputs `loss` (mean over N), `nextTheta`, `nextFirstMoment`,
 * `nextSecondMoment`.
 *
 * Source: Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2, with α = learning rate and
 * the weight decay scaled by it, as PyTorch does.
 *
 * @param dropped - hidden dense layers, by name, whose outputs are multiplied by a mask
 */
export function stepModel(
  network: Network,
  dropped: readonly string[],
  addLoss: (step: StepGraph) => string,
): Uint8Array {
  const builder = graphBuilder(network.opset);
  const { classes, count, shape } = network;
  const theta = builder.input('theta', 'float', [count]);
  const bound = network.bind(builder, theta);
  const scalarInput = (name: string): string => builder.input(name, 'float', []);
  const widthOf = (name: string): number =>
    network.layers!.flatMap((layer) => (layer.kind === 'dense' && layer.name === name ? [layer.to] : []))[0]!;
  const masks = Object.fromEntries(
    dropped.map((name) => [name, builder.input(`${name}.mask`, 'float', ['N', widthOf(name)])]),
  );
  const loss = addLoss({
    builder,
    network,
    bound,
    targets: builder.input('targets', 'float', ['N', classes]),
    labels: builder.input('labels', 'float', ['N', classes]),
    logits: (input) => bound.logits(input, masks),
    batchInput: (name) => builder.input(name, 'float', ['N', ...shape]),
    scalarInput,
  });
  const firstMoment = builder.input('firstMoment', 'float', [count]);
  const secondMoment = builder.input('secondMoment', 'float', [count]);
  const firstCorrection = scalarInput('firstCorrection');
  const secondCorrection = scalarInput('secondCorrection');
  const learningRate = scalarInput('learningRate');
  const decay = scalarInput('decay');
  const gradient = differentiate(builder, loss, [theta])[theta]!;

  const scale = (value: string, factor: number, name: string): string => scaled(builder, value, factor, name);
  const times = (a: string, b: string): string => builder.op('Mul', [a, b])[0];
  const first = sum(builder, scale(firstMoment, beta1, 'beta1'), scale(gradient, 1 - beta1, 'oneMinusBeta1'));
  const squared = times(gradient, gradient);
  const second = sum(
    builder,
    scale(secondMoment, beta2, 'beta2'),
    scale(squared, 1 - beta2, 'oneMinusBeta2'),
  );
  const [root] = builder.op('Sqrt', [times(second, secondCorrection)]);
  const [direction] = builder.op('Div', [
    times(first, firstCorrection),
    sum(builder, root, builder.constant(floatTensor([], [epsilon]), 'epsilon')),
  ]);
  const [next] = builder.op('Sub', [times(theta, decay), times(direction, learningRate)]);
  builder.output('loss', 'float', [], loss);
  builder.output('nextTheta', 'float', [count], next);
  builder.output('nextFirstMoment', 'float', [count], first);
  builder.output('nextSecondMoment', 'float', [count], second);
  return encodeModel(builder.toModel());
}

/** The network with its weights as an input: `theta` [P] and `input` [N, …shape] to `logits` [N, classes]. */
export function logitsModel(network: Network): Uint8Array {
  return answerModel(network, 'logits', (_, logits) => logits);
}

/** Like {@link logitsModel}, with the output `probabilities`. */
export function probabilitiesModel(network: Network): Uint8Array {
  return answerModel(
    network,
    'probabilities',
    (builder, logits) => builder.op('Softmax', [logits], { axis: attribute.int(1) })[0],
  );
}

function answerModel(
  network: Network,
  output: string,
  answer: (builder: GraphBuilder, logits: string) => string,
): Uint8Array {
  const builder = graphBuilder(network.opset);
  const theta = builder.input('theta', 'float', [network.count]);
  const input = builder.input('input', 'float', ['N', ...network.shape]);
  const logits = network.bind(builder, theta).logits(input);
  builder.output(output, 'float', ['N', network.classes], answer(builder, logits));
  return encodeModel(builder.toModel());
}
