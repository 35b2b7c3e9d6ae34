import { decodeModel, floatTensor, openSession } from '../../../../src/core/onnx/index.js';
import { logitsModel } from '../../../../src/core/training/built-in/graphs.js';
import { initialWeights } from '../../../../src/core/training/built-in/initial-weights.js';
import { layersOf, weightsOf } from '../../../../src/core/training/built-in/layers.js';
import { encodeNetwork } from '../../../../src/core/training/built-in/model-file.js';
import { smallProblem, startOf } from './small-problem.js';

describe('a network', () => {
  it.each([
    [{ kind: 'cnn', channels: [4], hidden: [] }, [64], /shape \[C, H, W\] or \[H, W\] for a cnn, got \[64\]/],
    [
      { kind: 'cnn', channels: [4, 4], pool: [true], hidden: [] },
      [1, 8, 8],
      /one entry a convolution, 2, got 1/,
    ],
    [{ kind: 'cnn', channels: [4, 4], pool: [true, true], hidden: [] }, [3, 3], /pool\[1\], got 1×1/],
  ] as const)('that does not fit its data is refused: %j on [%s]', (network, shape, message) => {
    expect(() => layersOf(structuredClone(network) as never, shape, 10)).toThrow(message);
  });

  it('starts with He-normal weights and zero biases, each block with draws of its own', () => {
    const weights = weightsOf(layersOf({ kind: 'mlp', hidden: [400] }, [50], 2));
    const theta = initialWeights(weights, 1);
    const first = theta.subarray(0, 50 * 400);
    const variance = first.reduce((sum, value) => sum + value * value, 0) / first.length;
    expect(Math.abs(variance / (2 / 50) - 1)).toBeLessThan(4 * Math.sqrt(2 / first.length));
    expect(theta.subarray(50 * 400, 50 * 400 + 400).every((value) => value === 0)).toBe(true);
    const deeper = initialWeights(weightsOf(layersOf({ kind: 'mlp', hidden: [400, 30] }, [50], 2)), 1);
    expect(deeper.subarray(0, first.length)).toEqual(first);
  });

  it('is written as ONNX in the same bytes every time, and answers what it was trained to', async () => {
    const problem = smallProblem({
      network: { kind: 'cnn', channels: [4, 6], pool: [true, false], hidden: [5] },
    });
    const { network, train } = problem;
    const { shape, classes } = network;
    const layers = network.layers!;
    const { theta } = startOf(problem);
    const file = encodeNetwork(layers, shape, classes, theta);
    expect(Buffer.from(encodeNetwork(layers, shape, classes, theta.slice())).equals(file)).toBe(true);

    const { graph } = decodeModel(file);
    expect(graph.inputs).toEqual([{ name: 'input', type: 'float', dims: ['N', 1, 4, 4] }]);
    expect(graph.outputs).toEqual([{ name: 'logits', type: 'float', dims: ['N', 3] }]);
    expect(Object.keys(graph.initializers)).toEqual(
      expect.arrayContaining(['convolution1.weight', 'convolution2.bias', 'dense1.weight', 'dense2.bias']),
    );

    const input = floatTensor([20, ...shape], train.inputs);
    const served = await (await openSession(file, { place: 'inline' })).run({ input });
    const trained = await (await openSession(logitsModel(network), { place: 'inline' })).run({
      theta: floatTensor([theta.length], theta),
      input,
    });
    // Convolutions add in another order where their weights are constants.
    trained.logits!.data.forEach((value, i) => {
      expect(Math.abs(Number(served.logits!.data[i]) - Number(value))).toBeLessThan(2e-6);
    });
  });
});
