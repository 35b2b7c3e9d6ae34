import { RefusedError } from '../../errors/index.js';
import { floatTensor, type OnnxSession, openSession, type Tensor } from '../../onnx/index.js';
import { permutation, randomStream } from '../../random/index.js';
import { accuracyOf, answersOf } from './accuracy.js';
import { gatherRows, oneHot, smoothed } from './batch.js';
import type { TrainingState } from './checkpoint.js';
import { dropoutMasks, droppedLayers } from './dropout.js';
import { type EarlyStopping, openEarlyStopping } from './early-stopping.js';
import { beta1, beta2, logitsModel, stepModel } from './graphs.js';
import { product } from './layers.js';
import type { Preparation } from './methods/method.js';
import { chosenMethod } from './methods/registry.js';
import type { Problem } from './problem.js';
import { learningRateAt } from './schedule.js';

/** Where a training stands after one step. */
export interface Position {
  readonly state: TrainingState;
  /** Steps at most. */
  readonly total: number;
  /** Whether this was the last one. */
  readonly last: boolean;
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
 * Trains: epochs of shuffled mini-batches (the last one of an epoch may be smaller), each one AdamW step on the loss of the
 * chosen method. What happens at step n is a function of the problem and the state before it, so a training continued
 * from any of its states ends in the same bytes.
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
  const { network, parameters } = problem;
  const method = chosenMethod(parameters.adversarial);
  const open: { close(): Promise<void> }[] = [];
  const keep = <Closable extends { close(): Promise<void> }>(closable: Closable): Closable => {
    open.push(closable);
    return closable;
  };
  const session = async (model: Uint8Array): Promise<OnnxSession> =>
    keep(await openSession(model, { place: 'inline' }));
  try {
    const step = await session(stepModel(network, droppedLayers(problem), (graph) => method.addLoss(graph)));
    const logits = await session(logitsModel(network));
    const preparation = keep(await method.prepare(problem));
    const stopping = await openEarlyStopping(problem, (theta) => answersOf(logits, network, theta));
    if (stopping) keep(stopping);
    return await takeSteps(problem, { step, logits, preparation, stopping }, start, onStep);
  } finally {
    await Promise.all(open.map((closable) => closable.close()));
  }
}

interface Tools {
  readonly step: OnnxSession;
  readonly logits: OnnxSession;
  readonly preparation: Preparation;
  readonly stopping: EarlyStopping | undefined;
}

async function takeSteps(
  problem: Problem,
  { step, logits, preparation, stopping }: Tools,
  start: TrainingState,
  onStep: (position: Position) => Promise<void>,
): Promise<Optimized> {
  const { network, train, validation, parameters, seed } = problem;
  const { classes } = network;
  const size = product(network.shape);
  const count = train.ids.length;
  const stepsPerEpoch = Math.ceil(count / parameters.batchSize);
  const total = parameters.epochs * stepsPerEpoch;
  const isOver = ({ done, best }: TrainingState): boolean =>
    done === total || (stopping?.hasStopped(best) ?? false);

  let state = start;
  let shuffled: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  while (!isOver(state)) {
    const epoch = Math.floor(state.done / stepsPerEpoch);
    const position = state.done % stepsPerEpoch;
    if (shuffled?.epoch !== epoch) {
      shuffled = { epoch, order: permutation(randomStream(seed, 'epoch', epoch), count) };
    }
    const first = position * parameters.batchSize;
    const indices = shuffled.order.subarray(first, first + parameters.batchSize);
    const labels = oneHot(train.labels, classes, indices);
    const theta = vector(state.theta);
    // The middle of the step, so that schedules that begin and end at zero waste none.
    const epochsDone = (state.done + 0.5) / stepsPerEpoch;
    const learningRate = learningRateAt(parameters, epochsDone);
    const clean = gatherRows(train.inputs, size, indices);
    const results = await step.run({
      theta,
      firstMoment: vector(state.firstMoment),
      secondMoment: vector(state.secondMoment),
      labels,
      targets: targetsOf(problem, labels, indices),
      ...dropoutMasks(problem, indices, epoch),
      ...(await preparation.feeds({ theta, indices, clean, labels, epoch, epochsDone })),
      firstCorrection: scalar(1 / (1 - beta1 ** (state.done + 1))),
      secondCorrection: scalar(1 / (1 - beta2 ** (state.done + 1))),
      learningRate: scalar(learningRate),
      decay: scalar(1 - learningRate * parameters.weightDecay),
    });
    const loss = results.loss!.data[0] as number;
    if (!Number.isFinite(loss)) throw diverged(`the loss became ${loss}`, epoch, parameters.learningRate);
    const endsEpoch = position === stepsPerEpoch - 1;
    state = {
      done: state.done + 1,
      lossSum: (position === 0 ? 0 : state.lossSum) + loss * indices.length,
      theta: results.nextTheta!.data as Float32Array,
      firstMoment: results.nextFirstMoment!.data as Float32Array,
      secondMoment: results.nextSecondMoment!.data as Float32Array,
      ...(state.best && { best: state.best }),
    };
    const best = stopping && endsEpoch ? await stopping.look(state, epoch + 1) : state.best;
    if (best) state = { ...state, best };
    await onStep({
      state,
      total,
      last: isOver(state),
      loss: state.lossSum / (first + indices.length),
      endsEpoch,
      validationAccuracy: () => accuracyOf(validation, classes, answersOf(logits, network, state.theta)),
    });
  }
  const { best, done } = state;
  const theta = best?.theta ?? state.theta;
  if (!theta.every(Number.isFinite)) {
    throw diverged('a weight is no longer finite', parameters.epochs - 1, parameters.learningRate);
  }
  const answers = answersOf(logits, network, theta);
  return {
    theta,
    metrics: {
      epochs: done / stepsPerEpoch,
      parameters: theta.length,
      trainLoss: state.lossSum / count,
      trainAccuracy: await accuracyOf(train, classes, answers),
      validationAccuracy: await accuracyOf(validation, classes, answers),
      ...(best && { bestEpoch: best.epoch, bestScore: best.score }),
      ...(await preparation.metrics?.(vector(theta))),
    },
  };
}

function targetsOf({ targets, parameters }: Problem, labels: Tensor, indices: Uint32Array): Tensor {
  const [, classes] = labels.dims;
  if (targets) return floatTensor(labels.dims, gatherRows(targets, classes!, indices));
  return parameters.labelSmoothing ? smoothed(labels, parameters.labelSmoothing) : labels;
}

function vector(values: Float32Array): Tensor {
  return floatTensor([values.length], values);
}

function scalar(value: number): Tensor {
  return floatTensor([], [value]);
}

function diverged(what: string, epoch: number, learningRate: number): RefusedError {
  return new RefusedError(
    'training-refused',
    `training diverged: ${what} in epoch ${epoch + 1}; expected finite numbers, lower learningRate (now ${learningRate})`,
  );
}
