import { encodeModel, floatTensor, graphBuilder } from '../../onnx/index.js';
import { addNetwork } from './forward.js';
import { type Layer, weightsOf } from './layers.js';
import { weightValues } from './theta.js';

/** Version of the operator set of every network that is built here. */
export const opset = 17;

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
  for (const [{ name, dims }, data] of weightValues(weightsOf(layers), theta)) {
    builder.constant(floatTensor(dims, data), name);
  }
  builder.output(
    'logits',
    'float',
    ['N', classes],
    addNetwork(builder, layers, input, (name) => name),
  );
  return encodeModel(builder.toModel());
}
