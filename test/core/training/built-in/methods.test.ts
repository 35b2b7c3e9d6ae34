import { floatTensor, openSession } from '../../../../src/core/onnx/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import { accuracyOf, answersOf } from '../../../../src/core/training/built-in/accuracy.js';
import { ascentModel, climb, drawFromBall } from '../../../../src/core/training/built-in/ascent.js';
import { gatherRows, oneHot } from '../../../../src/core/training/built-in/batch.js';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  type TrainingState,
} from '../../../../src/core/training/built-in/checkpoint.js';
import { logitsModel } from '../../../../src/core/training/built-in/graphs.js';
import { chosenMethod } from '../../../../src/core/training/built-in/methods/registry.js';
import { type Optimized, optimize } from '../../../../src/core/training/built-in/optimize.js';
import type { Problem } from '../../../../src/core/training/built-in/problem.js';
import { digitsProblem } from './digits-problem.js';
import { smallProblem, startOf } from './small-problem.js';

const ignore = async () => undefined;
const bits = (values: Float32Array) => Buffer.from(values.slice().buffer).toString('hex');

const ball = { norm: 'linf', epsilon: 0.1 };
const everyMethod: readonly (readonly [string, object])[] = [
  ['pgd', { adversarial: { method: 'pgd', ...ball, steps: 2, ramp: { epochs: 1 } } }],
  ['pgd in L2', { adversarial: { method: 'pgd', norm: 'l2', epsilon: 0.3, steps: 2 } }],
  ['fgsm-rs', { adversarial: { method: 'fgsm-rs', ...ball } }],
  ['trades', { adversarial: { method: 'trades', ...ball, steps: 2 } }],
  ['gradient-penalty', { adversarial: { method: 'gradient-penalty', dual: 'linf', weight: 1 } }],
  ['gaussian', { adversarial: { method: 'gaussian', sigma: 0.2 } }],
  ['ibp', { adversarial: { method: 'ibp', ...ball, ramp: { epochs: 1 } } }],
  ['dropout', { dropout: 0.3 }],
  [
    'a schedule and smooth labels',
    { labelSmoothing: 0.1, schedule: { kind: 'one-cycle' }, weightDecay: 0.1 },
  ],
  ['early stopping', { earlyStopping: { on: 'clean', patience: 1 }, epochs: 4 }],
];

describe('training continued from a checkpoint of any step ends in the same bits', () => {
  it.each(everyMethod)('with %s', async (_name, given) => {
    const problem = smallProblem({
      network: { kind: 'cnn', channels: [3], stride: [2], hidden: [4] },
      ...given,
    } as never);
    const states: TrainingState[] = [];
    const whole = await optimize(problem, startOf(problem), async ({ state }) => {
      states.push(state);
    });
    expect(states.length).toBeGreaterThan(3);
    const training = Buffer.alloc(32, 1);
    for (const state of states) {
      const kept = decodeCheckpoint(encodeCheckpoint(state, training), training, state.theta.length);
      const rest = await optimize(problem, kept, ignore);
      expect(bits(rest.theta)).toBe(bits(whole.theta));
      expect(rest.metrics).toEqual(whole.metrics);
    }
  });
});

/** Accuracy on the validation samples under PGD-20. */
async function robustAccuracy(
  { network, validation, minimum, maximum }: Problem,
  { theta }: Optimized,
  norm: 'linf' | 'l2',
  epsilon: number,
): Promise<number> {
  const ascent = await openSession(ascentModel(network, norm), { place: 'inline' });
  const answers = answersOf(await openSession(logitsModel(network), { place: 'inline' }), network, theta);
  return accuracyOf(validation, network.classes, async (inputs, labels, from) => {
    const attacked = await climb(
      ascent,
      { norm, epsilon, steps: 20, stepSize: epsilon / 8 },
      { minimum, maximum },
      network.shape,
      floatTensor([theta.length], theta),
      inputs,
      labels,
      (values, row) => drawFromBall(values, norm, epsilon, randomStream(1, 'test', from + row)),
    );
    return answers(attacked.data as Float32Array, labels);
  });
}

const network = { kind: 'mlp', hidden: [32] };
const digits = (given: object): Problem =>
  digitsProblem({ network, epochs: 15, learningRate: 0.005, ...given }, { train: 480, validation: 300 });
const trained = (given: object): Promise<Optimized> => {
  const problem = digits(given);
  return optimize(problem, startOf(problem), ignore);
};

describe('on handwritten digits', () => {
  let plain: Optimized;
  const robust = (model: Optimized, norm: 'linf' | 'l2' = 'linf', epsilon = 0.12) =>
    robustAccuracy(digits({}), model, norm, epsilon);
  beforeAll(async () => {
    plain = await trained({});
  });

  const full = { norm: 'linf', epsilon: 0.12 };
  it.each<[string, object]>([
    ['pgd', { method: 'pgd', ...full, steps: 5 }],
    ['fgsm-rs', { method: 'fgsm-rs', ...full }],
    ['trades', { method: 'trades', ...full, steps: 5 }],
    ['gradient-penalty', { method: 'gradient-penalty', dual: 'linf', weight: 2 }],
    ['ibp', { method: 'ibp', ...full, ramp: { epochs: 8 } }],
  ])('%s makes a model much more robust than plain training', async (_name, adversarial) => {
    const model = await trained({ adversarial });
    expect(model.metrics.validationAccuracy).toBeGreaterThan(0.75);
    expect(await robust(model)).toBeGreaterThan((await robust(plain)) + 0.15);
  });

  it('pgd in L2 makes a model more robust in L2', async () => {
    const model = await trained({ adversarial: { method: 'pgd', norm: 'l2', epsilon: 0.6, steps: 5 } });
    expect(await robust(model, 'l2', 0.6)).toBeGreaterThan((await robust(plain, 'l2', 0.6)) + 0.1);
  });

  it('gaussian trains on noise of its deviation, not cut to the valid range, keyed by sample and epoch', async () => {
    const problem = digits({ adversarial: { method: 'gaussian', sigma: 0.5 } });
    const { train, network: shared, parameters } = problem;
    const method = await chosenMethod(parameters.adversarial).prepare(problem);
    const noiseOf = async (samples: readonly number[], epoch: number) => {
      const indices = Uint32Array.from(samples);
      const clean = gatherRows(train.inputs, 64, indices);
      const labels = oneHot(train.labels, shared.classes, indices);
      const theta = floatTensor([shared.count], shared.initial(1));
      const feeds = await method.feeds({ theta, indices, clean, labels, epoch, epochsDone: 0 });
      const noisy = feeds.input!.data as Float32Array;
      return { noisy, noise: Array.from(noisy, (value, i) => value - clean[i]!) };
    };
    const { noisy, noise } = await noiseOf([...Array(100).keys()], 0);
    const mean = noise.reduce((total, value) => total + value, 0) / noise.length;
    const variance = noise.reduce((total, value) => total + value * value, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(4 * (0.5 / Math.sqrt(noise.length)));
    expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(4 * Math.sqrt(2 / noise.length));
    expect(noisy.some((value) => value < -0.5)).toBe(true);
    expect((await noiseOf([7, 3], 0)).noise.slice(64)).toEqual(noise.slice(3 * 64, 4 * 64));
    expect((await noiseOf([3], 1)).noise).not.toEqual(noise.slice(3 * 64, 4 * 64));
  });

  it('ibp bounds many samples, and an attack breaks no more than it left unbounded', async () => {
    const adversarial = { method: 'ibp', norm: 'linf', epsilon: 0.08, ramp: { epochs: 8 } };
    const model = await trained({ adversarial });
    const bounded = model.metrics.boundedValidationAccuracy!;
    expect(bounded).toBeGreaterThan(0.3);
    expect(bounded).toBeLessThanOrEqual(await robust(model, 'linf', 0.08));
  });
});
