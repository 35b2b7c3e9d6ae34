import type { NetworkSpec } from '../../spec/index.js';
import { addNetwork } from './forward.js';
import { initialWeights } from './initial-weights.js';
import { layersOf, weightsOf } from './layers.js';
import { encodeNetwork, opset } from './model-file.js';
import type { Network } from './network.js';
import { addWeights, lengthOf } from './theta.js';

/**
 * A network built from its specification.
 *
 * @param shape - of one sample
 * @throws RefusedError `training-refused` when the network does not fit the shape
 */
export function layeredNetwork(
  spec: Exclude<NetworkSpec, { kind: 'onnx' }>,
  shape: readonly number[],
  classes: number,
): Network {
  const layers = layersOf(spec, shape, classes);
  const weights = weightsOf(layers);
  return {
    opset,
    shape,
    classes,
    count: lengthOf(weights),
    layers,
    initial: (seed) => initialWeights(weights, seed),
    bind: (builder, theta) => {
      const weight = addWeights(builder, weights, theta);
      return { weight, logits: (input, masks) => addNetwork(builder, layers, input, weight, masks) };
    },
    encode: (theta) => encodeNetwork(layers, shape, classes, theta),
  };
}
