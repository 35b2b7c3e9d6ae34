import { floatTensor } from '../../../../src/core/onnx/index.js';
import { gatherRows, oneHot } from '../../../../src/core/training/built-in/batch.js';
import { chosenMethod } from '../../../../src/core/training/built-in/methods/registry.js';
import { smallProblem, startOf } from './small-problem.js';

const epsilon = 0.2;

async function attack(
  indices: readonly number[],
  epoch: number,
  more: object = {},
  epochsDone = 0,
  inputs = train.inputs,
): Promise<Float32Array> {
  const problem = smallProblem({
    network: { kind: 'mlp', hidden: [8] },
    adversarial: { method: 'pgd', norm: 'linf', epsilon, ...more },
  });
  const { network, parameters } = problem;
  const method = await chosenMethod(parameters.adversarial).prepare(problem);
  const { theta } = startOf(problem);
  const chosen = Uint32Array.from(indices);
  const feeds = await method.feeds({
    theta: floatTensor([theta.length], theta),
    indices: chosen,
    clean: gatherRows(inputs, 16, chosen),
    labels: oneHot(train.labels, network.classes, chosen),
    epoch,
    epochsDone,
  });
  await method.close();
  return (feeds.adversarial ?? feeds.input)!.data as Float32Array;
}
const { train } = smallProblem({ network: { kind: 'linear' } });
const everyone = [...train.ids.keys()];
const distances = (row: number, points: Float32Array): Float64Array =>
  Float64Array.from({ length: 16 }, (_, i) => points[row * 16 + i]! - train.inputs[row * 16 + i]!);

describe('the inner attack of adversarial training', () => {
  it.each([['pgd'], ['fgsm-rs'], ['trades']])(
    'of %s stays inside the ball and the valid range, and uses all of the ball',
    async (method) => {
      const adversarial = await attack(everyone, 0, { method });
      let reached = 0;
      adversarial.forEach((value, i) => {
        const distance = Math.abs(value - train.inputs[i]!);
        // The bounds are float32 numbers, half a unit in the last place from the real ones.
        expect(distance).toBeLessThanOrEqual(epsilon + 2 ** -24);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        if (distance > epsilon - 1e-6 || value === 0 || value === 1) reached += 1;
      });
      expect(reached / adversarial.length).toBeGreaterThan(0.6);
    },
  );

  it('leaves the one step of fgsm-rs to chance even where samples lie on the edge of the valid range', async () => {
    const black = new Float32Array(train.inputs.length);
    const points = await attack(everyone, 0, { method: 'fgsm-rs' }, 0, black);
    expect(points.every((value) => value >= 0 && value <= epsilon + 1e-6)).toBe(true);
    const between = points.filter((value) => value > 0 && value < epsilon - 1e-6);
    expect(between.length).toBeGreaterThan(points.length / 10);
  });

  it('stays inside an L2 ball and reaches its surface', async () => {
    const points = await attack(everyone, 0, { norm: 'l2', epsilon: 0.3 });
    const lengths = everyone.map((row) => Math.hypot(...distances(row, points)));
    for (const length of lengths) expect(length).toBeLessThan(0.3 + 1e-6);
    expect(lengths.filter((length) => length > 0.3 - 1e-5).length).toBeGreaterThan(7);
  });

  it('grows its ball with the ramp', async () => {
    const ramp = { start: 1, epochs: 2 };
    const widest = async (epochsDone: number): Promise<number> => {
      const points = await attack(everyone, 0, { ramp }, epochsDone);
      return Math.max(...everyone.flatMap((row) => Array.from(distances(row, points), Math.abs)));
    };
    expect(await widest(0.5)).toBe(0);
    expect(await widest(2)).toBeCloseTo(epsilon / 2, 6);
    expect(await widest(5)).toBeCloseTo(epsilon, 6);
  });

  it('finds the same example for a sample in whatever batch it is, and another one in the next epoch', async () => {
    const together = await attack([4, 7, 11], 3);
    const alone = await attack([7], 3);
    expect(Array.from(together.subarray(16, 32))).toEqual(Array.from(alone));
    expect(Array.from(await attack([7], 4, { steps: 1 }))).not.toEqual(
      Array.from(await attack([7], 3, { steps: 1 })),
    );
  });
});
