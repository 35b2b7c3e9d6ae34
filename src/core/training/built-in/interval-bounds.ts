import { floatTensor, type GraphBuilder, int64Vector } from '../../onnx/index.js';
import { addLayer } from './forward.js';
import type { Layer } from './layers.js';
import { sumOver } from './losses.js';
import type { Network } from './network.js';

/** Two values of one shape between which a third one lies, elementwise. */
export interface Interval {
  readonly lower: string;
  readonly upper: string;
}

/**
 * Bounds by interval arithmetic: adds logits, up to a constant a sample, that are at least as bad for the label as those
 * of any input in the interval: 0 for the label, for another class the upper bound of how far it is ahead of the label. The
 * last layer is applied to that difference at once, which is tighter than bounding two logits (elision).
 *
 * Source: Gowal et al., "On the effectiveness of interval bound propagation", 2018, sections 3.2 and 3.3.
 *
 * @param network - one that was built from layers
 * @param input - of shape [N, …shape]
 * @param labels - one-hot, [N, classes]
 */
export function worstCaseLogits(
  b: GraphBuilder,
  { layers = [], classes }: Network,
  weight: (name: string) => string,
  input: Interval,
  labels: string,
): string {
  const last = layers.at(-1);
  if (last?.kind !== 'dense') throw new Error('expected a network of layers that ends in a dense one');
  const hidden = layers
    .slice(0, -1)
    .reduce((interval, layer) => propagate(b, layer, interval, weight), input);
  const { centre, radius } = centred(b, hidden);
  const logits = addLayer(b, last, centre, weight);
  const shape = (dims: readonly number[]): string => b.constant(int64Vector(dims), 'shape');
  // Column j·C + k of the pairwise weights is W_j − W_k.
  const matrix = weight(`${last.name}.weight`);
  const each = b.op('Reshape', [matrix, shape([last.from, classes, 1])])[0];
  const other = b.op('Reshape', [matrix, shape([last.from, 1, classes])])[0];
  const [pairs] = b.op('Sub', [each, other]);
  const [columns] = b.op('Reshape', [magnitude(b, pairs), shape([last.from, classes * classes])]);
  const [spread] = b.op('MatMul', [radius, columns]);
  const [ofPairs] = b.op('Reshape', [spread, shape([-1, classes, classes])]);
  const [isLabel] = b.op('Reshape', [labels, shape([-1, 1, classes])]);
  const ahead = sumOver(b, b.op('Mul', [ofPairs, isLabel])[0], [2], false);
  const ofLabel = sumOver(b, b.op('Mul', [logits, labels])[0], [1], true);
  return b.op('Add', [b.op('Sub', [logits, ofLabel])[0], ahead])[0];
}

/** The interval of a layer's output. */
function propagate(
  b: GraphBuilder,
  layer: Layer,
  { lower, upper }: Interval,
  weight: (name: string) => string,
): Interval {
  if (layer.kind !== 'convolution' && layer.kind !== 'dense') {
    // Monotone in each value.
    return { lower: addLayer(b, layer, lower, weight), upper: addLayer(b, layer, upper, weight) };
  }
  const { centre, radius } = centred(b, { lower, upper });
  const middle = addLayer(b, layer, centre, weight);
  const noBias = b.constant(floatTensor([layer.to], new Float32Array(layer.to)), 'noBias');
  const away = addLayer(b, layer, radius, (name) =>
    name.endsWith('.bias') ? noBias : magnitude(b, weight(name)),
  );
  return { lower: b.op('Sub', [middle, away])[0], upper: b.op('Add', [middle, away])[0] };
}

function centred(b: GraphBuilder, { lower, upper }: Interval) {
  const half = b.constant(floatTensor([], [0.5]), 'half');
  const halved = (opType: string): string => b.op('Mul', [b.op(opType, [upper, lower])[0], half])[0];
  return { centre: halved('Add'), radius: halved('Sub') };
}

/** |x|. */
function magnitude(b: GraphBuilder, value: string): string {
  const [positive] = b.op('Relu', [value]);
  return b.op('Add', [positive, b.op('Relu', [b.op('Neg', [value])[0]])[0]])[0];
}
