import type { RefusedError } from '../errors/index.js';
import { openSession } from '../onnx/index.js';
import type { Classifier } from './attack.js';

/**
 * An ONNX model of which nothing is known but what it answers: the file itself in a worker thread, with whatever it ends
 * in. Close it after use.
 *
 * @param obstacle - why there is more than this to no avail; thrown again by whoever asks for gradients, and when the
 * model has not one input and one output of float logits [N, classes]
 */
export async function openBlackBox(
  onnx: Uint8Array,
  shape: readonly number[],
  logitExponent: number,
  obstacle: RefusedError,
): Promise<Classifier> {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const session = await openSession(onnx, { place: 'thread' });
  const [input, ...furtherInputs] = session.inputNames;
  const [output, ...furtherOutputs] = session.outputNames;
  const logits = async (inputs: Float32Array, n: number): Promise<Float32Array> => {
    if (!input || !output || furtherInputs.length + furtherOutputs.length > 0) throw obstacle;
    const answer = (await session.run({ [input]: { type: 'float', dims: [n, ...shape], data: inputs } }))[
      output
    ];
    if (!(answer?.data instanceof Float32Array) || answer.dims.length !== 2 || answer.dims[0] !== n)
      throw obstacle;
    return logitExponent === 0 ? answer.data : answer.data.map((logit) => logit * 2 ** logitExponent);
  };
  try {
    const classes = (await logits(new Float32Array(size), 1)).length;
    return {
      shape,
      classes,
      gradientObstacle: obstacle.message,
      logits,
      lossGradient: () => Promise.reject(obstacle),
      logitGradient: () => Promise.reject(obstacle),
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}
