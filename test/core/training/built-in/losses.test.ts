import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Feeds, floatTensor, openSession, type Tensor } from '../../../../src/core/onnx/index.js';
import { adversarialSchema } from '../../../../src/core/spec/training-methods.js';
import { oneHot, smoothed } from '../../../../src/core/training/built-in/batch.js';
import { stepModel } from '../../../../src/core/training/built-in/graphs.js';
import { layeredNetwork } from '../../../../src/core/training/built-in/layered-network.js';
import { chosenMethod } from '../../../../src/core/training/built-in/methods/registry.js';

interface Reference {
  readonly loss: number;
  readonly gradient: readonly number[];
}
/** In float64, by loss-references.py beside this file. */
const references: Readonly<Record<string, Reference>> = JSON.parse(
  readFileSync(path.join(__dirname, 'loss-references.json'), 'utf8'),
);

const samples = 4;
const network = layeredNetwork(
  { kind: 'cnn', channels: [2], kernel: [3], stride: [2], padding: [1], hidden: [5] },
  [1, 4, 4],
  3,
);
const theta = Float32Array.from({ length: network.count }, (_, i) => 0.5 * Math.sin(1.7 * i + 0.3));
const batch = (value: (n: number, i: number) => number): Tensor =>
  floatTensor(
    [samples, 1, 4, 4],
    Float32Array.from({ length: samples * 16 }, (_, at) => value(Math.floor(at / 16), at % 16)),
  );
const inputOf = (n: number, i: number) => 0.5 + 0.5 * Math.sin(0.9 * i + 2 * n);
const otherOf = (n: number, i: number) => inputOf(n, i) + 0.1 * Math.cos(3 * i + n);
const scalar = (value: number): Tensor => floatTensor([], [value]);

/** The loss of a method at fixed weights, and its gradient: ten times the first moment after one step from zero. */
async function lossOf(spec: object | undefined, feeds: Feeds): Promise<Reference> {
  const method = chosenMethod(spec && adversarialSchema.parse(spec));
  const session = await openSession(
    stepModel(network, [], (step) => method.addLoss(step)),
    { place: 'inline' },
  );
  const labels = oneHot(Uint32Array.of(0, 1, 2, 0), 3, Uint32Array.of(0, 1, 2, 3));
  const zeros = floatTensor([theta.length], new Float32Array(theta.length));
  const results = await session.run({
    theta: floatTensor([theta.length], theta),
    firstMoment: zeros,
    secondMoment: zeros,
    labels,
    targets: smoothed(labels, 0.1),
    firstCorrection: scalar(1),
    secondCorrection: scalar(1),
    learningRate: scalar(0.1),
    decay: scalar(1),
    ...feeds,
  });
  const moment = results.nextFirstMoment!.data as Float32Array;
  return { loss: results.loss!.data[0] as number, gradient: Array.from(moment, (value) => value * 10) };
}

describe('the loss of a training method', () => {
  const input = batch(inputOf);
  const other = batch(otherOf);
  it.each<[string, object | undefined, Feeds]>([
    ['plain', undefined, { input }],
    ['trades', { method: 'trades', norm: 'linf', epsilon: 0.1, beta: 6 }, { input, adversarial: other }],
    [
      'gradient-penalty',
      { method: 'gradient-penalty', weight: 2, difference: 0.25 },
      { input, shifted: other },
    ],
    [
      'ibp',
      { method: 'ibp', norm: 'linf', epsilon: 0.05 },
      {
        input,
        lower: batch((n, i) => inputOf(n, i) - 0.05),
        upper: batch((n, i) => inputOf(n, i) + 0.05),
        cleanShare: scalar(0.75),
        worstShare: scalar(0.25),
      },
    ],
  ])('and its gradient are those of a float64 reference: %s', async (name, spec, feeds) => {
    const { loss, gradient } = await lossOf(spec, feeds);
    const expected = references[name]!;
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-5);
    const size = Math.max(...expected.gradient.map(Math.abs));
    expect(size).toBeGreaterThan(0.01);
    expect(gradient).toHaveLength(expected.gradient.length);
    for (const [i, value] of gradient.entries()) {
      expect(Math.abs(value - expected.gradient[i]!)).toBeLessThan(size * 2e-5);
    }
  });
});
