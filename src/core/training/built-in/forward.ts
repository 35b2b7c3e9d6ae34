import { attribute, type GraphBuilder, int64Vector } from '../../onnx/index.js';
import type { Layer } from './layers.js';

/**
 * Adds a network to a graph.
 *
 * @param input - value of shape [N, …]
 * @param weight - the value that holds a named weight
 * @param masks - values to multiply the output of hidden dense layers by, by the layer's name
 * @returns the value of the logits, [N, classes]
 */
export function addNetwork(
  builder: GraphBuilder,
  layers: readonly Layer[],
  input: string,
  weight: (name: string) => string,
  masks: Readonly<Record<string, string>> = {},
): string {
  return layers.reduce((value, layer) => {
    const mask = layer.kind === 'relu' && layer.after !== undefined && masks[layer.after];
    const result = addLayer(builder, layer, value, weight);
    return mask ? builder.op('Mul', [result, mask])[0] : result;
  }, input);
}

/** Adds one layer, which takes `value` of shape [N, …] to its output. */
export function addLayer(
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
        kernel_shape: attribute.ints([layer.kernel, layer.kernel]),
        pads: attribute.ints(Array.from({ length: 4 }, () => layer.padding)),
        ...(layer.stride > 1 && { strides: attribute.ints([layer.stride, layer.stride]) }),
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
