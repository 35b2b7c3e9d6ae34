import { RefusedError } from '../errors/index.js';
import {
  decodeModel,
  encodeModel,
  type Feeds,
  floatTensor,
  graphBuilder,
  logitGradientModel,
  logitsModel,
  lossGradientModel,
  type Model,
  type NoiseInput,
  lossGradientNames as names,
  type OnnxSession,
  openSession,
  type Results,
  ratioGradientModel,
  ratioGradientNames as ratioNames,
  type Tensor,
  logitGradientNames as weightedNames,
  withNoiseInputs,
} from '../onnx/index.js';
import type { Classifier } from './attack.js';
import { gatherRows } from './batches.js';
import { openBlackBox } from './black-box.js';
import { type DrawnClassifier, type Expectation, expectationOf } from './expectation.js';
import { halvings } from './saturation.js';

/**
 * An ONNX model as an attacker with its file sees it: the model, differentiated, in worker threads. Close it after use.
 *
 * The gradient of a row whose cross-entropy is saturated (see {@link halvings}) is taken with its logits halved as often
 * as needed, in a further session; loss and logits stay those of the model. Which row that is depends on the row alone.
 *
 * @param onnx - a model of one float input [N, …shape] and one float output of logits [N, classes]
 * @param shape - of one sample
 * @param logitExponent - the logits are multiplied by 2 to this power, which is exact: the argmax stays, and the
 * cross-entropy does not flatten where the model's own scale would make it
 * @param expectation - how a model that draws at random is averaged; without it, its nodes that draw have no gradient
 * @throws RefusedError `model-unreadable` when it is no model, `input-invalid` when it does not take samples of this
 * shape, `operator-unsupported` when it has not one float input and output. A model that cannot be differentiated opens
 * with a `gradientObstacle`
 */
export async function openClassifier(
  onnx: Uint8Array,
  shape: readonly number[],
  logitExponent = 0,
  expectation?: Expectation,
): Promise<Classifier> {
  try {
    return await openDifferentiated(onnx, shape, logitExponent, expectation);
  } catch (error) {
    if (!(error instanceof RefusedError && error.code === 'operator-unsupported')) throw error;
    return await openBlackBox(onnx, shape, logitExponent, error, expectation);
  }
}

async function openDifferentiated(
  onnx: Uint8Array,
  shape: readonly number[],
  logitExponent: number,
  expectation: Expectation | undefined,
): Promise<Classifier> {
  const decoded = decodeModel(onnx);
  const { model, noise } = expectation ? withNoiseInputs(decoded) : { model: decoded, noise: [] };
  const drawn = openDrawn(model, noise, shape, logitExponent);
  const named = new Set(noise.map(({ name }) => name));
  const batch = model.graph.inputs.find(({ name }) => !named.has(name))?.dims[0] ?? '';
  const classifierOf = (classes: number): Classifier =>
    expectation && noise.length > 0
      ? expectationOf({ ...drawn, classes }, noise, batch, expectation)
      : withoutNoise({ ...drawn, classes });
  try {
    const size = shape.reduce((product, axis) => product * axis, 1);
    // Nothing else says how many classes there are; no answer depends on it.
    const { logits } = await classifierOf(0).lossGradient(new Float32Array(size), new Uint32Array(1), 1);
    return classifierOf(logits.length);
  } catch (error) {
    await drawn.close();
    throw error;
  }
}

/** A model as its file has it. Means over draws have no ratio in one run: its weights are those of the mean logits. */
interface FileClassifier extends DrawnClassifier {
  readonly ratioGradient: NonNullable<Classifier['ratioGradient']>;
}

function withoutNoise(drawn: FileClassifier): Classifier {
  const none = () => ({});
  return {
    shape: drawn.shape,
    classes: drawn.classes,
    logits: (inputs, n) => drawn.logits(inputs, n, none),
    lossGradient: (inputs, labels, n) => drawn.lossGradient(inputs, labels, n, none),
    logitGradient: (inputs, weights, n) => drawn.logitGradient(inputs, weights, n, none),
    ratioGradient: drawn.ratioGradient,
    close: drawn.close,
  };
}

function openDrawn(
  model: Model,
  noiseInputs: readonly NoiseInput[],
  shape: readonly number[],
  logitExponent: number,
): Omit<FileClassifier, 'classes'> {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const sessions = new Map<string, Promise<OnnxSession>>();
  /** Each when it is first needed: an attack without gradients waits for no gradient graph. */
  const sessionOf = (graph: keyof typeof graphs, exponent: number): Promise<OnnxSession> => {
    const key = `${graph} ${exponent}`;
    const opened =
      sessions.get(key) ??
      openSession(encodeModel(graphs[graph](scaleLogits(model, exponent), noiseInputs)), { place: 'thread' });
    sessions.set(key, opened);
    return opened;
  };
  const runAt = async (exponent: number, inputs: Float32Array, labels: Uint32Array, noise: Feeds) => {
    const results = await (await sessionOf('lossGradient', exponent)).run({
      [names.input]: { type: 'float', dims: [labels.length, ...shape], data: inputs },
      [names.labels]: classNumbers(labels),
      ...noise,
    });
    return {
      loss: floats(results, names.loss),
      gradient: floats(results, names.gradient),
      logits: floats(results, names.logits),
    };
  };
  return {
    shape,
    async lossGradient(inputs, labels, n, noise) {
      const all = noise(Array.from({ length: n }, (_, row) => row));
      const { loss, logits, gradient: plain } = await runAt(logitExponent, inputs, labels, all);
      const classes = logits.length / n;
      const levels = Array.from({ length: n }, (_, row) => halvings(logits, classes, row, labels[row]!));
      if (levels.every((count) => count === 0)) return { loss, gradient: plain, logits };
      const gradient = plain.slice();
      for (const level of new Set(levels.filter((count) => count > 0))) {
        const rows = levels.flatMap((count, row) => (count === level ? [row] : []));
        const softened = await runAt(
          logitExponent - level,
          gatherRows(inputs, size, rows),
          Uint32Array.from(rows, (row) => labels[row]!),
          noise(rows),
        );
        rows.forEach((row, i) => {
          gradient.set(softened.gradient.subarray(i * size, (i + 1) * size), row * size);
        });
      }
      return { loss, gradient, logits };
    },
    async logits(inputs, n, noise) {
      const session = await sessionOf('logits', logitExponent);
      const results = await session.run({
        [weightedNames.input]: { type: 'float', dims: [n, ...shape], data: inputs },
        ...noise(Array.from({ length: n }, (_, row) => row)),
      });
      return floats(results, weightedNames.logits);
    },
    async logitGradient(inputs, weights, n, noise) {
      const session = await sessionOf('logitGradient', logitExponent);
      const results = await session.run({
        [weightedNames.input]: { type: 'float', dims: [n, ...shape], data: inputs },
        [weightedNames.weights]: { type: 'float', dims: [n, weights.length / n], data: weights },
        ...noise(Array.from({ length: n }, (_, row) => row)),
      });
      return floats(results, weightedNames.gradient);
    },
    async ratioGradient(inputs, labels, targets, n) {
      const session = await sessionOf(targets ? 'ratioTowards' : 'ratioAway', logitExponent);
      const results = await session.run({
        [ratioNames.input]: { type: 'float', dims: [n, ...shape], data: inputs },
        [ratioNames.labels]: classNumbers(labels),
        ...(targets && { [ratioNames.targets]: classNumbers(targets) }),
      });
      return { gradient: floats(results, ratioNames.gradient), logits: floats(results, ratioNames.logits) };
    },
    async close() {
      for (const session of sessions.values()) await (await session).close();
    },
  };
}

/** What an attacker makes of the model; each runs in a session of its own. */
const graphs = {
  lossGradient: lossGradientModel,
  logitGradient: logitGradientModel,
  logits: logitsModel,
  ratioAway: (model: Model, noise: readonly NoiseInput[]) => ratioGradientModel(model, 'away', noise),
  ratioTowards: (model: Model, noise: readonly NoiseInput[]) => ratioGradientModel(model, 'towards', noise),
} as const;

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

function classNumbers(numbers: Uint32Array): Tensor {
  return { type: 'int64', dims: [numbers.length], data: BigInt64Array.from(numbers, BigInt) };
}

function floats(results: Results, name: string): Float32Array {
  const data = results[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new RefusedError('model-unreadable', `Gradient model: expected a float output ${name}, got none.`);
}
