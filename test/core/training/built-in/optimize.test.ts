import { RefusedError } from '../../../../src/core/errors/index.js';
import { permutation, randomStream } from '../../../../src/core/random/index.js';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainingState,
} from '../../../../src/core/training/built-in/checkpoint.js';
import { optimize } from '../../../../src/core/training/built-in/optimize.js';
import type { Problem } from '../../../../src/core/training/built-in/problem.js';
import { smallProblem, startOf } from './small-problem.js';

const pgd = { method: 'pgd', norm: 'linf', epsilon: 0.1, steps: 2 } as const;
const ignore = async () => undefined;
const bits = (values: Float32Array) => Buffer.from(values.slice().buffer).toString('hex');

/** Softmax regression under AdamW, as in the papers, in float64 and without ONNX. */
function referenceLinear({ train, parameters, seed, network }: Problem): number[] {
  const { batchSize, epochs, learningRate, weightDecay } = parameters;
  const [features, classes] = [16, 3];
  const theta = Array.from(network.initial(seed));
  const first = theta.map(() => 0);
  const second = theta.map(() => 0);
  let t = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = Array.from(permutation(randomStream(seed, 'epoch', epoch), train.ids.length));
    for (let from = 0; from < order.length; from += batchSize) {
      const batch = order.slice(from, from + batchSize);
      const gradient = theta.map(() => 0);
      for (const sample of batch) {
        const x = train.inputs.subarray(sample * features, (sample + 1) * features);
        const logits = Array.from({ length: classes }, (_, c) =>
          x.reduce((sum, value, i) => sum + value * theta[i * classes + c]!, theta[features * classes + c]!),
        );
        const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
        logits.forEach((z, c) => {
          const error = (Math.exp(z) / total - (train.labels[sample] === c ? 1 : 0)) / batch.length;
          x.forEach((value, i) => {
            gradient[i * classes + c]! += error * value;
          });
          gradient[features * classes + c]! += error;
        });
      }
      t += 1;
      gradient.forEach((g, i) => {
        first[i] = 0.9 * first[i]! + 0.1 * g;
        second[i] = 0.999 * second[i]! + 0.001 * g * g;
        theta[i]! *= 1 - learningRate * weightDecay;
        theta[i]! -=
          (learningRate * (first[i]! / (1 - 0.9 ** t))) / (Math.sqrt(second[i]! / (1 - 0.999 ** t)) + 1e-8);
      });
    }
  }
  return theta;
}

describe('training', () => {
  it('takes the AdamW steps of a float64 reference, smaller last batch included', async () => {
    const problem = smallProblem({
      network: { kind: 'linear' },
      epochs: 4,
      learningRate: 0.05,
      weightDecay: 0.1,
    });
    const { theta } = await optimize(problem, startOf(problem), ignore);
    const expected = referenceLinear(problem);
    const start = startOf(problem).theta;
    expect(Math.max(...expected.map((value, i) => Math.abs(value - start[i]!)))).toBeGreaterThan(0.1);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - theta[i]!)))).toBeLessThan(2e-5);
  });

  it.each([
    ['a linear model', { network: { kind: 'linear' } }],
    ['an MLP', { network: { kind: 'mlp', hidden: [12, 8] } }],
    ['a CNN', { network: { kind: 'cnn', channels: [4, 8], pool: [false, true], hidden: [] } }],
    ['a CNN against PGD', { network: { kind: 'cnn', channels: [4], hidden: [8] }, adversarial: pgd }],
  ] as const)('fits %s', async (_name, given) => {
    const problem = smallProblem({
      ...given,
      network: structuredClone(given.network) as never,
      epochs: 60,
      learningRate: 0.02,
    });
    const { metrics } = await optimize(problem, startOf(problem), ignore);
    expect(metrics.trainAccuracy).toBe(1);
    expect(metrics.validationAccuracy).toBe(1);
    expect(metrics.trainLoss).toBeLessThan(0.5);
  });

  it('continued from a checkpoint of any step ends in the same bits', async () => {
    const problem = smallProblem({ network: { kind: 'cnn', channels: [3], hidden: [] }, adversarial: pgd });
    const states: TrainingState[] = [];
    const whole = await optimize(problem, startOf(problem), async ({ state }) => {
      states.push(state);
    });
    expect(states).toHaveLength(6);
    const training = Buffer.alloc(32, 1);
    for (const state of states) {
      const kept = decodeCheckpoint(encodeCheckpoint(state, training), training, state.theta.length);
      const rest = await optimize(problem, kept, ignore);
      expect(bits(rest.theta)).toBe(bits(whole.theta));
      expect(rest.metrics).toEqual(whole.metrics);
    }
  });

  it('depends on its seed', async () => {
    const problem = smallProblem({ network: { kind: 'linear' } });
    const other = { ...problem, seed: problem.seed + 1 };
    const one = await optimize(problem, startOf(problem), ignore);
    const two = await optimize(other, startOf(other), ignore);
    expect(bits(one.theta)).not.toBe(bits(two.theta));
  });

  it('that diverges is refused with the learning rate to lower', async () => {
    const problem = smallProblem({ network: { kind: 'mlp', hidden: [8] }, learningRate: 1e30 });
    const failure = await optimize(problem, startOf(problem), ignore).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RefusedError);
    expect(failure).toMatchObject({
      code: 'training-refused',
      message: expect.stringMatching(/diverged.*1e\+30/),
    });
  });
});
