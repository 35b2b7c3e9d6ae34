import { attribute, type GraphBuilder, int64Vector } from '../../onnx/index.js';
import type { Layer, Weight } from './layers.js';
import { product } from './layers.js';

/**
 * Adds a network to a graph.
 *
 * @param input - value of shape [N, …]
 * @param weight - the value that holds a named weight
 * @returns the value of the logits, [N, classes]
 */
export function addNetwork(
  builder: GraphBuilder,
  layers: readonly Layer[],
  input: string,
  weight: (name: string) => string,
): string {
  return layers.reduce((value, layer) => addLayer(builder, layer, value, weight), input);
}

function addLayer(
  builder: GraphBuilder,
  layer: Layer,
  value: string,
  weight: (name: string) => string,
): string {
  switch (layer.kind) {
    case 'reshape':
      return builder.op('Reshape', [value, builder.constant(int64Vector([-1, ...layer.shape]), 'shape')])[0];
    case 'convolution':
      return builder.op('Conv', [value, weight(`${layer.name}.weight`), weight(`${layer.name}.bias`)], {
        kernel_shape: attribute.ints([3, 3]),
        pads: attribute.ints([1, 1, 1, 1]),
      })[0];
    case 'relu':
      return builder.op('Relu', [value])[0];
    case 'pool':
      return builder.op('MaxPool', [value], {
        kernel_shape: attribute.ints([2, 2]),
        strides: attribute.ints([2, 2]),
      })[0];
    case 'dense':
      return builder.op('Gemm', [value, weight(`${layer.name}.weight`), weight(`${layer.name}.bias`)])[0];
  }
}

/**
 * Cuts the flat parameter vector into named weights.
 *
 * @param theta - value of shape [P]
 * @returns the value of each weight by its name
 */
export function addWeights(
  builder: GraphBuilder,
  weights: readonly Weight[],
  theta: string,
): (name: string) => string {
  const sizes = builder.constant(int64Vector(weights.map(({ dims }) => product(dims))), 'sizes');
  const parts = builder.op('Split', [theta, sizes], { axis: attribute.int(0) }, weights.length);
  const values = new Map(
    weights.map(({ name, dims }, index) => [
      name,
      builder.op('Reshape', [parts[index]!, builder.constant(int64Vector(dims), 'dims')])[0],
    ]),
  );
  return (name) => values.get(name)!;
}
