import { RefusedError } from '../../errors/index.js';
import { floatTensor, type OnnxSession, openSession, type Tensor } from '../../onnx/index.js';
import { permutation, randomStream } from '../../random/index.js';
import { accuracyOf } from './accuracy.js';
import { createAdversary } from './adversary.js';
import { gatherRows, oneHot } from './batch.js';
import type { TrainingState } from './checkpoint.js';
import { ascentModel, beta1, beta2, logitsModel, stepModel } from './graphs.js';
import { product } from './layers.js';
import type { Problem } from './problem.js';

/** Where a training stands after one step. */
export interface Position {
  readonly state: TrainingState;
  readonly total: number;
  /** Mean loss over the samples that the current epoch has seen. */
  readonly loss: number;
  readonly endsEpoch: boolean;
  /** Accuracy of the current weights on the validation samples. */
  validationAccuracy(): Promise<number>;
}

export interface Optimized {
  readonly theta: Float32Array;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Trains: epochs of shuffled mini-batches (the last one of an epoch may be smaller), each one AdamW step on the mean
 * cross-entropy, of adversarial examples where the parameters ask for them. What happens at step n is a function of the
 * problem and the state before it, so a training continued from any of its states ends in the same bytes.
 *
 * @param start - the initial state, or one that an earlier call handed to `onStep`
 * @param onStep - called after every step, in order
 * @throws RefusedError `training-refused` when the loss or a weight is no longer a finite number
 */
export async function optimize(
  problem: Problem,
  start: TrainingState,
  onStep: (position: Position) => Promise<void>,
): Promise<Optimized> {
  const sessions = await openSessions(problem);
  try {
    return await takeSteps(problem, sessions, start, onStep);
  } finally {
    await Promise.all(Object.values(sessions).map((session: OnnxSession) => session.close()));
  }
}

interface Sessions {
  readonly step: OnnxSession;
  readonly logits: OnnxSession;
  readonly ascent?: OnnxSession;
}

async function openSessions({ layers, shape, classes, parameters }: Problem): Promise<Sessions> {
  const open = (model: Uint8Array): Promise<OnnxSession> => openSession(model, { place: 'inline' });
  return {
    step: await open(stepModel(layers, shape, classes, parameters)),
    logits: await open(logitsModel(layers, shape, classes)),
    ...(parameters.adversarial && { ascent: await open(ascentModel(layers, shape, classes)) }),
  };
}

async function takeSteps(
  problem: Problem,
  { step, logits, ascent }: Sessions,
  start: TrainingState,
  onStep: (position: Position) => Promise<void>,
): Promise<Optimized> {
  const { shape, classes, train, validation, parameters, seed } = problem;
  const size = product(shape);
  const count = train.ids.length;
  const stepsPerEpoch = Math.ceil(count / parameters.batchSize);
  const total = parameters.epochs * stepsPerEpoch;
  const perturb =
    ascent && parameters.adversarial
      ? createAdversary(problem, parameters.adversarial, ascent)
      : async (_theta: Tensor, indices: Uint32Array) =>
          floatTensor([indices.length, ...shape], gatherRows(train.inputs, size, indices));

  let state = start;
  let shuffled: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  while (state.done < total) {
    const epoch = Math.floor(state.done / stepsPerEpoch);
    const position = state.done % stepsPerEpoch;
    if (shuffled?.epoch !== epoch) {
      shuffled = { epoch, order: permutation(randomStream(seed, 'epoch', epoch), count) };
    }
    const first = position * parameters.batchSize;
    const indices = shuffled.order.subarray(first, first + parameters.batchSize);
    const targets = oneHot(train.labels, classes, indices);
    const theta = vector(state.theta);
    const results = await step.run({
      theta,
      firstMoment: vector(state.firstMoment),
      secondMoment: vector(state.secondMoment),
      input: await perturb(theta, indices, targets, epoch),
      targets,
      firstCorrection: floatTensor([], [1 / (1 - beta1 ** (state.done + 1))]),
      secondCorrection: floatTensor([], [1 / (1 - beta2 ** (state.done + 1))]),
    });
    const loss = results.loss!.data[0] as number;
    if (!Number.isFinite(loss)) throw diverged(`the loss became ${loss}`, epoch, parameters.learningRate);
    state = {
      done: state.done + 1,
      lossSum: (position === 0 ? 0 : state.lossSum) + loss * indices.length,
      theta: results.nextTheta!.data as Float32Array,
      firstMoment: results.nextFirstMoment!.data as Float32Array,
      secondMoment: results.nextSecondMoment!.data as Float32Array,
    };
    await onStep({
      state,
      total,
      loss: state.lossSum / (first + indices.length),
      endsEpoch: position === stepsPerEpoch - 1,
      validationAccuracy: () => accuracyOf(logits, state.theta, validation, shape, classes),
    });
  }
  if (!state.theta.every(Number.isFinite)) {
    throw diverged('a weight is no longer finite', parameters.epochs - 1, parameters.learningRate);
  }
  return {
    theta: state.theta,
    metrics: {
      epochs: parameters.epochs,
      parameters: state.theta.length,
      trainLoss: state.lossSum / count,
      trainAccuracy: await accuracyOf(logits, state.theta, train, shape, classes),
      validationAccuracy: await accuracyOf(logits, state.theta, validation, shape, classes),
    },
  };
}

function vector(values: Float32Array): Tensor {
  return floatTensor([values.length], values);
}

function diverged(what: string, epoch: number, learningRate: number): RefusedError {
  return new RefusedError(
    'training-refused',
    `training diverged: ${what} in epoch ${epoch + 1}; expected finite numbers, lower learningRate (now ${learningRate})`,
  );
}
