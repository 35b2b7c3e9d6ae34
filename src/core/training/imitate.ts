import { builtInParametersSchema, type NetworkSpec } from '../spec/index.js';
import { layeredNetwork } from './built-in/layered-network.js';
import { optimize } from './built-in/optimize.js';

/** What a model was asked, and what it said. */
export interface Observations {
  readonly ids: readonly string[];
  /** Row-major [n, …shape]. */
  readonly inputs: Float32Array;
  /** Row-major [n, classes], rows that sum to 1. */
  readonly targets: Float32Array;
}

export interface ImitationOptions {
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** Valid range of each input value. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /** Optimiser steps, at least; whole epochs are made. */
  readonly steps: number;
  /** An integer in [0, 2³²). */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

const BATCH = 32;

/**
 * Trains a small network to answer as another model answered: a convolutional one where samples are pictures of 8×8 at least, else
 * one with a hidden layer. It needs nothing of the other model but its answers (Hinton, Vinyals, Dean, "Distilling the knowledge in
 * a neural network", 2015).
 *
 * @returns an ONNX file that gives logits, [N, classes]
 * @throws RefusedError `training-refused` when training diverges
 */
export async function imitate(
  { ids, inputs, targets }: Observations,
  { shape, classes, minimum, maximum, steps, seed, signal }: ImitationOptions,
): Promise<Uint8Array> {
  const spec = networkFor(shape);
  const network = layeredNetwork(spec, shape, classes);
  const parameters = builtInParametersSchema.parse({
    network: spec,
    epochs: Math.max(1, Math.ceil(steps / Math.ceil(ids.length / BATCH))),
    batchSize: BATCH,
    learningRate: 0.003,
    weightDecay: 0.01,
    schedule: { kind: 'cosine' },
  });
  const labels = Uint32Array.from(ids, (_, row) => largestOf(targets, row, classes));
  const train = { ids, inputs, labels };
  const zeros = new Float32Array(network.count);
  const { theta } = await optimize(
    { network, train, targets, validation: train, minimum, maximum, parameters, seed },
    { done: 0, lossSum: 0, theta: network.initial(seed), firstMoment: zeros, secondMoment: zeros },
    async () => signal?.throwIfAborted(),
  );
  return network.encode(theta);
}

function networkFor(shape: readonly number[]): Exclude<NetworkSpec, { kind: 'onnx' }> {
  const isPicture = shape.length === 3 && Math.min(shape[1]!, shape[2]!) >= 8;
  return isPicture
    ? { kind: 'cnn', channels: [16, 32], pool: [false, true], hidden: [64] }
    : { kind: 'mlp', hidden: [128] };
}

function largestOf(targets: Float32Array, row: number, classes: number): number {
  const answer = targets.subarray(row * classes, (row + 1) * classes);
  return answer.indexOf(answer.reduce((most, value) => Math.max(most, value)));
}
