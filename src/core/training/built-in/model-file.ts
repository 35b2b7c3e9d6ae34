import { encodeModel, floatTensor, graphBuilder } from '../../onnx/index.js';
import { addNetwork } from './forward.js';
import { opset } from './graphs.js';
import { type Layer, product, weightsOf } from './layers.js';

/**
 * A trained network as an ONNX file: float input `input` [N, …shape], float output `logits` [N, classes], one
 * initialiser a weight. Equal arguments give equal bytes.
 */
export function encodeNetwork(
  layers: readonly Layer[],
  shape: readonly number[],
  classes: number,
  theta: Float32Array,
): Uint8Array {
  const builder = graphBuilder(opset);
  const input = builder.input('input', 'float', ['N', ...shape]);
  let at = 0;
  for (const { name, dims } of weightsOf(layers)) {
    const count = product(dims);
    builder.constant(floatTensor(dims, theta.slice(at, at + count)), name);
    at += count;
  }
  builder.output(
    'logits',
    'float',
    ['N', classes],
    addNetwork(builder, layers, input, (name) => name),
  );
  return encodeModel(builder.toModel());
}
