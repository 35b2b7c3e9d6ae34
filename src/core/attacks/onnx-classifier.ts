import { RefusedError } from '../errors/index.js';
import {
  decodeModel,
  encodeModel,
  floatTensor,
  graphBuilder,
  lossGradientModel,
  type Model,
  lossGradientNames as names,
  openSession,
  type Results,
} from '../onnx/index.js';
import type { Classifier } from './attack.js';

/**
 * An ONNX model as an attacker with its file sees it: the model, differentiated, in a session of its own in a worker
 * thread. Close it after use.
 *
 * @param onnx - a model of one float input [N, …shape] and one float output of logits [N, classes]
 * @param shape - of one sample
 * @param logitExponent - the logits are multiplied by 2 to this power, which is exact: the argmax stays, and the
 * cross-entropy neither saturates nor flattens where the model's own scale would make it
 * @throws RefusedError `model-unreadable` when it is no model, `input-invalid` when it does not take samples of this
 * shape, `operator-unsupported` when it cannot be differentiated
 */
export async function openClassifier(
  onnx: Uint8Array,
  shape: readonly number[],
  logitExponent = 0,
): Promise<Classifier> {
  const gradientModel = encodeModel(lossGradientModel(scaleLogits(decodeModel(onnx), logitExponent)));
  const session = await openSession(gradientModel, { place: 'thread' });
  const size = shape.reduce((product, axis) => product * axis, 1);

  const lossGradient = async (inputs: Float32Array, labels: Uint32Array, n: number) => {
    const results = await session.run({
      [names.input]: { type: 'float', dims: [n, ...shape], data: inputs },
      [names.labels]: { type: 'int64', dims: [n], data: BigInt64Array.from(labels, BigInt) },
    });
    return {
      loss: floats(results, names.loss),
      gradient: floats(results, names.gradient),
      logits: floats(results, names.logits),
    };
  };

  try {
    const { logits } = await lossGradient(new Float32Array(size), new Uint32Array(1), 1);
    return {
      shape,
      classes: logits.length,
      lossGradient,
      logits: async (inputs, n) => (await lossGradient(inputs, new Uint32Array(n), n)).logits,
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** In two halves: each fits into float32 where the whole may not. */
function scaleLogits(model: Model, exponent: number): Model {
  if (exponent === 0) return model;
  const { graph } = model;
  const half = Math.trunc(exponent / 2);
  const b = graphBuilder(model.opset);
  for (const { name, type, dims } of graph.inputs) b.input(name, type, dims);
  b.import(graph);
  for (const { name, type, dims } of graph.outputs) {
    const scaled = [half, exponent - half].reduce<string>(
      (value, power) => b.op('Mul', [value, b.constant(floatTensor([], [2 ** power]), 'logit-scale')])[0],
      name,
    );
    b.output(`scaled/${name}`, type, dims, scaled);
  }
  return b.toModel();
}

function floats(results: Results, name: string): Float32Array {
  const data = results[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new RefusedError('model-unreadable', `Gradient model: expected a float output ${name}, got none.`);
}
