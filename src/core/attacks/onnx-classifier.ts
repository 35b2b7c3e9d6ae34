import { RefusedError } from '../errors/index.js';
import {
  decodeModel,
  encodeModel,
  lossGradientModel,
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
 * @throws RefusedError `model-unreadable` when it is no model, `input-invalid` when it does not take samples of this
 * shape, `operator-unsupported` when it cannot be differentiated
 */
export async function openClassifier(onnx: Uint8Array, shape: readonly number[]): Promise<Classifier> {
  const gradientModel = encodeModel(lossGradientModel(decodeModel(onnx)));
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

function floats(results: Results, name: string): Float32Array {
  const data = results[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new RefusedError('model-unreadable', `Gradient model: expected a float output ${name}, got none.`);
}
