import { RefusedError } from '../errors/index.js';
import { decodeModel, encodeModel, openSession, withNoiseInputs } from '../onnx/index.js';
import type { Classifier } from './attack.js';
import { type DrawnClassifier, type Expectation, expectationOf } from './expectation.js';

/**
 * A classifier of which nothing is known but what it answers.
 *
 * @param answers - n·classes logits
 * @param obstacle - why there is more than this to no avail; thrown again by whoever asks for gradients
 */
export async function blackBox(
  answers: Classifier['logits'],
  shape: readonly number[],
  logitExponent: number,
  obstacle: RefusedError,
  close: () => Promise<void>,
): Promise<Classifier> {
  const { length: classes } = await answers(new Float32Array(lengthOf(shape)), 1);
  return {
    shape,
    classes,
    gradientObstacle: obstacle.message,
    logits: async (inputs, n) => scaled(await answers(inputs, n), logitExponent),
    lossGradient: () => Promise.reject(obstacle),
    logitGradient: () => Promise.reject(obstacle),
    close,
  };
}

/**
 * An ONNX model as a {@link blackBox}: the file itself in a worker thread, with whatever it ends in; of one that draws at
 * random, the mean of named draws where its noise can be told apart from the rest. Close it after use.
 *
 * @param obstacle - also thrown when the model has not one input and one output of float logits [N, classes]
 */
export async function openBlackBox(
  onnx: Uint8Array,
  shape: readonly number[],
  logitExponent: number,
  obstacle: RefusedError,
  expectation?: Expectation,
): Promise<Classifier> {
  const told = expectation && toldWhatToDraw(onnx);
  const session = await openSession(told ? encodeModel(told.model) : onnx, { place: 'thread' });
  const named = new Set(told?.noise.map(({ name }) => name));
  const [input, ...furtherInputs] = session.inputs.filter(({ name }) => !named.has(name));
  const [output, ...furtherOutputs] = session.outputNames;
  const logits: DrawnClassifier['logits'] = async (inputs, n, noise) => {
    if (!input || !output || furtherInputs.length + furtherOutputs.length > 0) throw obstacle;
    const answer = (
      await session.run({
        [input.name]: { type: 'float', dims: [n, ...shape], data: inputs },
        ...noise(Array.from({ length: n }, (_, row) => row)),
      })
    )[output];
    if (!(answer?.data instanceof Float32Array) || answer.dims.length !== 2 || answer.dims[0] !== n)
      throw obstacle;
    return answer.data;
  };
  const close = () => session.close();
  try {
    if (!told || !expectation || told.noise.length === 0) {
      return await blackBox(
        (inputs, n) => logits(inputs, n, () => ({})),
        shape,
        logitExponent,
        obstacle,
        close,
      );
    }
    const refuse = () => Promise.reject(obstacle);
    const box = (classes: number) =>
      expectationOf(
        {
          shape,
          classes,
          gradientObstacle: obstacle.message,
          logits: async (...asked) => scaled(await logits(...asked), logitExponent),
          lossGradient: refuse,
          logitGradient: refuse,
          close,
        },
        told.noise,
        told.batch,
        expectation,
      );
    const { length: classes } = await box(0).logits(new Float32Array(lengthOf(shape)), 1);
    return box(classes);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The model with its noise as inputs; `undefined` where it does not let itself be told. */
function toldWhatToDraw(onnx: Uint8Array) {
  try {
    const { model, noise } = withNoiseInputs(decodeModel(onnx));
    const named = new Set(noise.map(({ name }) => name));
    const batch = model.graph.inputs.find(({ name }) => !named.has(name))?.dims[0] ?? '';
    return { model, noise, batch };
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

function scaled(logits: Float32Array, exponent: number): Float32Array {
  return exponent === 0 ? logits : logits.map((logit) => logit * 2 ** exponent);
}

function lengthOf(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}
