import { randomStream } from '../../../../src/core/random/index.js';
import { type BuiltInParameters, builtInParametersSchema } from '../../../../src/core/spec/index.js';
import type { TrainingState } from '../../../../src/core/training/built-in/checkpoint.js';
import { layeredNetwork } from '../../../../src/core/training/built-in/layered-network.js';
import type { Network } from '../../../../src/core/training/built-in/network.js';
import type { Problem } from '../../../../src/core/training/built-in/problem.js';

type Given = Partial<Omit<BuiltInParameters, 'adversarial' | 'schedule' | 'earlyStopping'>> & {
  readonly adversarial?: object;
  readonly schedule?: object;
  readonly earlyStopping?: object;
};

/**
 * Twenty samples of 4×4 values in [0, 1] and three classes that their brightest third tells apart.
 *
 * @param imported - a network to train instead of the one that is asked for
 */
export function smallProblem(given: Given, imported?: Network): Problem {
  const parameters = builtInParametersSchema.parse({ epochs: 2, batchSize: 8, ...given });
  const stream = randomStream(3, 'small problem');
  const count = 20;
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 3);
  const inputs = Float32Array.from({ length: count * 16 }, (_, i) => {
    const bright = Math.floor((i % 16) / 6) === labels[Math.floor(i / 16)];
    return (stream.uniform() + (bright ? 1 : 0)) / 2;
  });
  const samples = { ids: Array.from(labels, (_, i) => `sample-${i}`), inputs, labels };
  const shape = [1, 4, 4];
  return {
    network: imported ?? layeredNetwork(parameters.network as never, shape, 3),
    train: samples,
    validation: samples,
    minimum: new Float32Array(16),
    maximum: new Float32Array(16).fill(1),
    parameters,
    seed: 5,
  };
}

/** The state before the first step. */
export function startOf({ network, seed }: Problem): TrainingState {
  const theta = network.initial(seed);
  const zeros = new Float32Array(theta.length);
  return { done: 0, lossSum: 0, theta, firstMoment: zeros, secondMoment: zeros };
}
