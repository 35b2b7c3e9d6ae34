import {
  differentiate,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
  type OnnxSession,
  type Tensor,
} from '../../onnx/index.js';
import type { RandomStream } from '../../random/index.js';
import { product } from './layers.js';
import { maximumOver, meanCrossEntropy, sumOver } from './losses.js';
import type { Network } from './network.js';

/** Smallest norm that is divided by: a gradient of zero moves nothing. */
const smallest = 1e-30;

/**
 * One step of PGD as one model: inputs `theta` [P], `input` [N, …shape], `targets` [N, classes] and `stepSize`; output
 * `next`, the input moved up the loss by `stepSize` and back into the ball and the valid range.
 *
 * For L∞ it moves along the sign of the gradient, and `lower` and `upper` [N, …shape] bound ball and range at once. For L2
 * it moves along the gradient divided by its norm, in the ball of `radius` around `origin`; `lower` and `upper` bound the
 * range.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks",
 * ICLR 2018, section 2.1.
 */
export function ascentModel(network: Network, norm: 'linf' | 'l2'): Uint8Array {
  const { shape, count, classes } = network;
  const builder = graphBuilder(network.opset);
  const batch = (name: string): string => builder.input(name, 'float', ['N', ...shape]);
  const theta = builder.input('theta', 'float', [count]);
  const input = batch('input');
  const targets = builder.input('targets', 'float', ['N', classes]);
  const loss = meanCrossEntropy(builder, network.bind(builder, theta).logits(input), targets);
  const gradient = differentiate(builder, loss, [input])[input]!;
  const lower = batch('lower');
  const upper = batch('upper');
  const stepSize = builder.input('stepSize', 'float', []);
  const direction =
    norm === 'linf' ? builder.op('Sign', [gradient])[0] : unitRows(builder, gradient, shape.length);
  const [moved] = builder.op('Add', [input, builder.op('Mul', [direction, stepSize])[0]]);
  let inside = moved;
  if (norm === 'l2') {
    const origin = batch('origin');
    const radius = builder.input('radius', 'float', []);
    const [offset] = builder.op('Sub', [moved, origin]);
    const [far] = builder.op('Max', [rowNorms(builder, offset, shape.length), radius]);
    const [shrunk] = builder.op('Mul', [offset, builder.op('Div', [radius, floor(builder, far)])[0]]);
    [inside] = builder.op('Add', [origin, shrunk]);
  }
  const [above] = builder.op('Max', [inside, lower]);
  builder.output('next', 'float', ['N', ...shape], builder.op('Min', [above, upper])[0]);
  return encodeModel(builder.toModel());
}

/** Each sample divided by its L2 norm. @param rank - of one sample */
function unitRows(b: GraphBuilder, value: string, rank: number): string {
  return b.op('Div', [value, floor(b, rowNorms(b, value, rank))])[0];
}

/**
 * The L2 norm of each sample, [N, 1, …]. Values are divided by the largest one first: gradients of a sure model are so
 * small that their squares vanish.
 */
function rowNorms(b: GraphBuilder, value: string, rank: number): string {
  const axes = Array.from({ length: rank }, (_, i) => i + 1);
  const largest = maximumOver(b, b.op('Abs', [value])[0], axes);
  const [relative] = b.op('Div', [value, floor(b, largest)]);
  const [norm] = b.op('Sqrt', [sumOver(b, b.op('Mul', [relative, relative])[0], axes, true)]);
  return b.op('Mul', [norm, largest])[0];
}

const floor = (b: GraphBuilder, value: string): string =>
  b.op('Max', [value, b.constant(floatTensor([], [smallest]), 'smallest')])[0];

/** Where PGD looks around a batch of samples. */
export interface Ball {
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  /** Whether the start stays where it was drawn, even outside the valid range; default: it is moved into it. */
  readonly startsAnywhere?: boolean;
}

export interface Range {
  /** Valid range of each value of a sample. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
}

/**
 * Draws where the search begins, in place.
 *
 * @param row - the number of the sample in the batch
 */
export type Start = (values: Float32Array, row: number) => void;

/**
 * Sign or gradient steps up the loss, inside the ball and the valid range.
 *
 * @param ascent - a session of {@link ascentModel} for the ball's norm
 * @param origin - the samples, row-major
 * @param targets - what to move away from, [N, classes]
 * @returns adversarial twins of the samples, [N, …shape]
 */
export async function climb(
  ascent: OnnxSession,
  { norm, epsilon, steps, stepSize, startsAnywhere }: Ball,
  { minimum, maximum }: Range,
  shape: readonly number[],
  theta: Tensor,
  origin: Float32Array,
  targets: Tensor,
  start: Start,
): Promise<Tensor> {
  const size = product(shape);
  const dims = [origin.length / size, ...shape];
  const reach = norm === 'linf' ? epsilon : Number.POSITIVE_INFINITY;
  const lower = origin.map((value, i) => Math.max(minimum[i % size]!, value - reach));
  const upper = origin.map((value, i) => Math.min(maximum[i % size]!, value + reach));
  const begin = origin.slice();
  for (let row = 0; row < dims[0]!; row++) start(begin.subarray(row * size, (row + 1) * size), row);
  const bounds = { lower: floatTensor(dims, lower), upper: floatTensor(dims, upper) };
  const ball =
    norm === 'linf' ? {} : { origin: floatTensor(dims, origin), radius: floatTensor([], [epsilon]) };
  let input = floatTensor(
    dims,
    startsAnywhere ? begin : begin.map((value, i) => Math.min(upper[i]!, Math.max(lower[i]!, value))),
  );
  for (let step = 0; step < steps; step++) {
    const { next } = await ascent.run({
      theta,
      input,
      targets,
      stepSize: floatTensor([], [stepSize]),
      ...bounds,
      ...ball,
    });
    input = next!;
  }
  return input;
}

/** A uniform draw from the ball of a norm around a sample. */
export function drawFromBall(
  values: Float32Array,
  norm: 'linf' | 'l2',
  epsilon: number,
  stream: RandomStream,
): void {
  if (norm === 'linf') {
    for (let i = 0; i < values.length; i++) values[i]! += (2 * stream.uniform() - 1) * epsilon;
    return;
  }
  const direction = Float64Array.from(values, () => stream.normal());
  const length = Math.hypot(...direction);
  const radius = epsilon * stream.uniform() ** (1 / values.length);
  for (let i = 0; i < values.length; i++) values[i]! += (direction[i]! / length) * radius;
}
