import { floatTensor, openSession } from '../../../../src/core/onnx/index.js';
import { createAdversary } from '../../../../src/core/training/built-in/adversary.js';
import { oneHot } from '../../../../src/core/training/built-in/batch.js';
import { ascentModel } from '../../../../src/core/training/built-in/graphs.js';
import { smallProblem, startOf } from './small-problem.js';

const epsilon = 0.2;

async function attack(indices: readonly number[], epoch: number, steps = 5): Promise<Float32Array> {
  const problem = smallProblem({ network: { kind: 'mlp', hidden: [8] } });
  const { layers, shape, classes, train } = problem;
  const ascent = await openSession(ascentModel(layers, shape, classes), { place: 'inline' });
  const spec = { method: 'pgd', norm: 'linf', epsilon, steps } as const;
  const perturb = createAdversary(problem, spec, ascent);
  const { theta } = startOf(problem);
  const chosen = Uint32Array.from(indices);
  const result = await perturb(
    floatTensor([theta.length], theta),
    chosen,
    oneHot(train.labels, classes, chosen),
    epoch,
  );
  return result.data as Float32Array;
}

describe('the inner attack of adversarial training', () => {
  it('stays inside the ball and the valid range, and uses all of the ball', async () => {
    const { train } = smallProblem({ network: { kind: 'linear' } });
    const everyone = [...train.ids.keys()];
    const adversarial = await attack(everyone, 0, 7);
    let reached = 0;
    adversarial.forEach((value, i) => {
      const distance = Math.abs(value - train.inputs[i]!);
      // The bounds are float32 numbers, half a unit in the last place from the real ones.
      expect(distance).toBeLessThanOrEqual(epsilon + 2 ** -24);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
      if (distance > epsilon - 1e-6 || value === 0 || value === 1) reached += 1;
    });
    expect(reached / adversarial.length).toBeGreaterThan(0.7);
  });

  it('finds the same example for a sample in whatever batch it is, and another one in the next epoch', async () => {
    const together = await attack([4, 7, 11], 3);
    const alone = await attack([7], 3);
    expect(Array.from(together.subarray(16, 32))).toEqual(Array.from(alone));
    expect(Array.from(await attack([7], 4, 1))).not.toEqual(Array.from(await attack([7], 3, 1)));
  });
});
