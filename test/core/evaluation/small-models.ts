import {
  attribute,
  encodeModel,
  floatTensor,
  type GraphBuilder,
  graphBuilder,
} from '../../../src/core/onnx/index.js';
import { permutation, randomStream } from '../../../src/core/random/index.js';

/** Values of one sample. The first one is the same in all data, so no honest model needs it. */
export const SIZE = 12;
export const CLASSES = 3;
const HIDDEN = 16;

export interface LabelledSamples {
  readonly ids: readonly string[];
  readonly inputs: Float32Array;
  readonly labels: Uint32Array;
}

/** Three clouds in the unit cube, well apart: at a small radius a model can be robust, at a large one none can. */
export function clouds(n: number, name: string): LabelledSamples {
  const middle = randomStream(3, 'clouds', 'middles');
  const middles = Array.from({ length: CLASSES * SIZE }, () => 0.25 + 0.5 * middle.uniform());
  const stream = randomStream(3, 'clouds', name);
  const labels = Uint32Array.from({ length: n }, (_, i) => i % CLASSES);
  const inputs = Float32Array.from({ length: n * SIZE }, (_, at) => {
    if (at % SIZE === 0) return 0.5;
    const value = middles[labels[Math.floor(at / SIZE)]! * SIZE + (at % SIZE)]! + 0.06 * stream.normal();
    return Math.min(1, Math.max(0, value));
  });
  return { ids: Array.from({ length: n }, (_, i) => `${name}-${i}`), inputs, labels };
}

/** A ReLU network of one hidden layer: logits = V·relu(U·x + a) + b, row-major. */
export interface Network {
  readonly U: Float64Array;
  readonly a: Float64Array;
  readonly V: Float64Array;
  readonly b: Float64Array;
}

/** Trains by plain stochastic gradient descent, in float64. */
export function train({ inputs, labels }: LabelledSamples, epochs: number): Network {
  const stream = randomStream(3, 'train');
  const normals = (n: number, deviation: number): Float64Array =>
    Float64Array.from({ length: n }, () => deviation * stream.normal());
  const net: Network = {
    U: normals(HIDDEN * SIZE, 0.5),
    a: new Float64Array(HIDDEN),
    V: normals(CLASSES * HIDDEN, 0.4),
    b: new Float64Array(CLASSES),
  };
  // What never varies teaches nothing.
  for (let j = 0; j < HIDDEN; j++) net.U[j * SIZE] = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const s of permutation(stream, labels.length)) {
      step(net, inputs.subarray(s * SIZE, (s + 1) * SIZE), labels[s]!, 0.05);
    }
  }
  return net;
}

function step({ U, a, V, b }: Network, x: Float32Array, label: number, rate: number): void {
  const h = a.map((bias, j) =>
    Math.max(
      0,
      x.reduce((sum, value, i) => sum + U[j * SIZE + i]! * value, bias),
    ),
  );
  const z = b.map((bias, c) => h.reduce((sum, value, j) => sum + V[c * HIDDEN + j]! * value, bias));
  const largest = Math.max(...z);
  const total = z.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  const dz = z.map((value, c) => Math.exp(value - largest) / total - (c === label ? 1 : 0));
  const dh = h.map((value, j) => (value > 0 ? dz.reduce((sum, d, c) => sum + V[c * HIDDEN + j]! * d, 0) : 0));
  dz.forEach((d, c) => {
    b[c]! -= rate * d;
    for (let j = 0; j < HIDDEN; j++) V[c * HIDDEN + j]! -= rate * d * h[j]!;
  });
  dh.forEach((d, j) => {
    a[j]! -= rate * d;
    for (let i = 1; i < SIZE; i++) U[j * SIZE + i]! -= rate * d * x[i]!;
  });
}

/** How a defence changes the values that go in and the logits that come out. */
export interface Defence {
  readonly before?: (b: GraphBuilder, x: string) => string;
  readonly after?: (b: GraphBuilder, logits: string, x: string) => string;
}

/** The network as an ONNX file, input `x` [N, size], output `logits` [N, classes]. */
export function networkOnnx({ U, a, V, b: bias }: Network, { before, after }: Defence = {}): Uint8Array {
  const b = graphBuilder(17);
  const x = b.input('x', 'float', ['N', SIZE]);
  const dense = (input: string, weights: Float64Array, biases: Float64Array, name: string): string =>
    b.op(
      'Gemm',
      [
        input,
        b.constant(floatTensor([biases.length, weights.length / biases.length], weights), `${name}.weight`),
        b.constant(floatTensor([biases.length], biases), `${name}.bias`),
      ],
      { transB: attribute.int(1) },
    )[0];
  const [hidden] = b.op('Relu', [dense(before?.(b, x) ?? x, U, a, 'hidden')]);
  const logits = dense(hidden, V, bias, 'output');
  b.output('logits', 'float', ['N', CLASSES], after?.(b, logits, x) ?? logits);
  return encodeModel(b.toModel());
}

const scalar = (b: GraphBuilder, value: number): string => b.constant(floatTensor([], [value]), 'scalar');

/** Defences that only look like ones: they hide gradients, and leave the function as easy to fool as it was. */
export const brokenDefences = {
  /** Gives out probabilities that are 1 to the last bit: flat wherever the model is sure. */
  saturated: {
    after: (b, logits) =>
      b.op('Softmax', [b.op('Mul', [logits, scalar(b, 1e5)])[0]], { axis: attribute.int(1) })[0],
  },
  /** Logits so small that their differences are lost in any loss. */
  tiny: { after: (b, logits) => b.op('Mul', [logits, scalar(b, 1e-42)])[0] },
  /** Eight levels a value: no derivative at all. */
  rounded: { before: (b, x) => roundTo(b, x, 8) },
  /** The same, with a faint straight path beside it that gives gradients which lead nowhere. */
  decoy: {
    before: (b, x) => roundTo(b, x, 8, true),
    after: (b, logits, x) => {
      const weights = Array.from({ length: SIZE * CLASSES }, (_, i) => 1e-3 * Math.sin(i * i));
      const [path] = b.op('MatMul', [x, b.constant(floatTensor([SIZE, CLASSES], weights), 'decoy')]);
      return b.op('Add', [logits, path])[0];
    },
  },
  /** Every third value in fine levels: the gradient agrees with differences well enough, and never moves those. */
  partlyRounded: { before: (b, x) => roundEveryThird(b, x, 40) },
} as const satisfies Record<string, Defence>;

/** Round(x · levels) / levels, or the same as a sum of comparisons, which is differentiable with derivative zero. */
function roundTo(b: GraphBuilder, x: string, levels: number, byComparison = false): string {
  if (!byComparison) {
    const [rounded] = b.op('Round', [b.op('Mul', [x, scalar(b, levels)])[0]]);
    return b.op('Div', [rounded, scalar(b, levels)])[0];
  }
  const one = scalar(b, 1 / levels);
  const nothing = scalar(b, 0);
  return Array.from({ length: levels }, (_, level) => {
    const [above] = b.op('Greater', [x, scalar(b, (level + 0.5) / levels)]);
    return b.op('Where', [above, one, nothing])[0];
  }).reduce((sum, part) => b.op('Add', [sum, part])[0]);
}

function roundEveryThird(b: GraphBuilder, x: string, levels: number): string {
  const mask = (rounded: boolean): string =>
    b.constant(
      floatTensor(
        [SIZE],
        Array.from({ length: SIZE }, (_, i) => ((i % 3 === 1) === rounded ? 1 : 0)),
      ),
      'mask',
    );
  const [rounded] = b.op('Mul', [roundTo(b, x, levels, true), mask(true)]);
  const [plain] = b.op('Mul', [x, mask(false)]);
  return b.op('Add', [rounded, plain])[0];
}

/** The same answers to all honest data, given away by a value that no data vary. */
export const plantedWeakness: Defence = {
  after: (b, logits, x) => {
    const weights = Array.from({ length: SIZE * CLASSES }, (_, i) =>
      i < CLASSES ? [3000, -3000, 0][i]! : 0,
    );
    const shifted = b.op('Sub', [x, scalar(b, 0.5)])[0];
    const [path] = b.op('MatMul', [shifted, b.constant(floatTensor([SIZE, CLASSES], weights), 'weakness')]);
    return b.op('Add', [logits, path])[0];
  },
};
