import { floatTensor, openSession } from '../../../../src/core/onnx/index.js';
import type { TrainingState } from '../../../../src/core/training/built-in/checkpoint.js';
import { dropoutMasks } from '../../../../src/core/training/built-in/dropout.js';
import { logitsModel } from '../../../../src/core/training/built-in/graphs.js';
import { optimize } from '../../../../src/core/training/built-in/optimize.js';
import { smallProblem, startOf } from './small-problem.js';

const ignore = async () => undefined;

describe('dropout', () => {
  const problem = smallProblem({ network: { kind: 'mlp', hidden: [40, 30] }, dropout: 0.3 });
  const mask = (name: string, indices: readonly number[], epoch: number) =>
    Array.from(dropoutMasks(problem, Uint32Array.from(indices), epoch)[`${name}.mask`]!.data as Float32Array);

  it('drops its share of values after each hidden layer and scales up the others', () => {
    expect(Object.keys(dropoutMasks(problem, Uint32Array.of(0), 0))).toEqual(['dense1.mask', 'dense2.mask']);
    const values = mask('dense1', [...problem.train.ids.keys()], 0);
    const kept = values.filter((value) => value !== 0);
    for (const value of kept) expect(value).toBe(Math.fround(1 / 0.7));
    expect(Math.abs(kept.length / values.length - 0.7)).toBeLessThan(4 * Math.sqrt(0.21 / values.length));
  });

  it('draws a mask by sample, epoch and layer, whatever batch the sample is in', () => {
    expect(mask('dense1', [3, 5, 9], 2).slice(40, 80)).toEqual(mask('dense1', [5], 2));
    expect(mask('dense1', [5], 3)).not.toEqual(mask('dense1', [5], 2));
    expect(mask('dense1', [6], 2)).not.toEqual(mask('dense1', [5], 2));
    expect(mask('dense2', [5], 2)).not.toEqual(mask('dense1', [5], 2).slice(0, 30));
  });

  it('changes what is learnt and nothing of the network that is written', async () => {
    const without = smallProblem({ network: { kind: 'mlp', hidden: [40, 30] } });
    const { theta } = await optimize(problem, startOf(problem), ignore);
    expect(theta).not.toEqual((await optimize(without, startOf(without), ignore)).theta);
    expect(problem.network.encode(theta)).toEqual(without.network.encode(theta));
  });
});

it('label smoothing trains on the cross-entropy of smoothed labels', async () => {
  const share = 0.3;
  // One step of the whole batch: its loss is that of the weights to start from.
  const problem = smallProblem({
    network: { kind: 'linear' },
    epochs: 1,
    batchSize: 20,
    labelSmoothing: share,
  });
  const { network, train } = problem;
  const { theta } = startOf(problem);
  const session = await openSession(logitsModel(network), { place: 'inline' });
  const results = await session.run({
    theta: floatTensor([theta.length], theta),
    input: floatTensor([20, 1, 4, 4], train.inputs),
  });
  const logits = results.logits!.data as Float32Array;
  let expected = 0;
  train.labels.forEach((label, row) => {
    const scores = Array.from(logits.subarray(row * 3, row * 3 + 3));
    const logSum = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
    scores.forEach((score, i) => {
      expected -= ((i === label ? 1 - share : 0) + share / 3) * (score - logSum);
    });
  });
  const { metrics } = await optimize(problem, startOf(problem), ignore);
  expect(metrics.trainLoss).toBeCloseTo(expected / 20, 5);
});

describe('early stopping', () => {
  const run = async (earlyStopping: object | undefined, more: object = {}) => {
    const problem = smallProblem({
      network: { kind: 'mlp', hidden: [6] },
      epochs: 12,
      learningRate: 0.4,
      ...(earlyStopping && { earlyStopping }),
      ...more,
    });
    const states: TrainingState[] = [];
    const scores: number[] = [];
    const result = await optimize(problem, startOf(problem), async (position) => {
      if (!position.endsEpoch) return;
      states.push(position.state);
      scores.push(await position.validationAccuracy());
    });
    return { result, states, scores };
  };

  it('keeps the first of the best weights that it saw', async () => {
    const { result, states, scores } = await run({ on: 'clean' });
    const best = Math.max(...scores);
    // Else there would be nothing to keep.
    expect(scores.at(-1)).toBeLessThan(best);
    expect(states).toHaveLength(12);
    expect(result.metrics).toMatchObject({
      bestEpoch: scores.indexOf(best) + 1,
      bestScore: best,
      validationAccuracy: best,
    });
    expect(result.theta).toEqual(states[scores.indexOf(best)]!.theta);
  });

  it('stops when its patience is over', async () => {
    const { scores } = await run({ on: 'clean' });
    const patience = 2;
    let best = -1;
    let since = 0;
    const expected = scores.findIndex((score) => {
      since = score > best ? 0 : since + 1;
      best = Math.max(best, score);
      return since === patience;
    });
    expect(expected).toBeGreaterThan(0);
    const { result, states } = await run({ on: 'clean', patience });
    expect(states).toHaveLength(expected + 1);
    expect(result.metrics.epochs).toBe(expected + 1);
  });

  it('on robust accuracy scores lower than on clean accuracy, and watches fgsm-rs unasked', async () => {
    const attack = { norm: 'linf', epsilon: 0.4 };
    const clean = await run({ on: 'clean' });
    const robust = await run({ on: 'robust', attack });
    expect(robust.result.metrics.bestScore).toBeLessThan(clean.result.metrics.bestScore!);
    const fast = await run(undefined, { adversarial: { method: 'fgsm-rs', norm: 'linf', epsilon: 0.1 } });
    expect(fast.result.metrics).toMatchObject({ bestEpoch: expect.any(Number) });
  });

  it.each([
    [{ earlyStopping: {} }, /norm and epsilon to attack with/],
    [{ network: { kind: 'linear' }, dropout: 0.5 }, /hidden dense layers/],
    [
      {
        network: { kind: 'onnx', file: 'x.onnx' },
        adversarial: { method: 'ibp', norm: 'linf', epsilon: 0.1 },
      },
      /for ibp, got an ONNX file/,
    ],
  ])('and what else the parameters cannot mean is refused: %j', (given, message) => {
    expect(() => smallProblem({ network: { kind: 'linear' }, ...given } as never)).toThrow(message);
  });
});
