import {
  attribute,
  decodeModel,
  encodeModel,
  floatTensor,
  graphBuilder,
  int64Vector,
  openSession,
} from '../../../../src/core/onnx/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import { importedNetwork } from '../../../../src/core/training/built-in/imported-network.js';
import { optimize } from '../../../../src/core/training/built-in/optimize.js';
import { smallProblem, startOf } from './small-problem.js';

const ignore = async () => undefined;
const shape = [1, 4, 4];
const onnx = { kind: 'onnx', file: 'model.onnx' } as const;
/** Convolution, batch norm, a dense layer as MatMul and Add, and a Softmax: as exporters write classifiers. */
function classifier(opset: number): Uint8Array {
  const stream = randomStream(4, 'imported');
  const normals = (...dims: number[]) =>
    floatTensor(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.4 * stream.normal()),
    );
  const b = graphBuilder(opset);
  const input = b.input('image', 'float', ['N', ...shape]);
  const [scaled] = b.op('Mul', [input, b.constant(floatTensor([1], [2]), 'scale')]);
  const [features] = b.op('Conv', [scaled, b.constant(normals(6, 1, 3, 3), 'conv.weight')]);
  const statistics = ['gamma', 'beta', 'mean', 'variance'].map((name) =>
    b.constant(floatTensor([6], [1, 1.5, 1, 0.5, 1, 2]), name),
  );
  const [normal] = b.op('BatchNormalization', [features, ...statistics]);
  const [flat] = b.op('Flatten', [b.op('Relu', [normal])[0]]);
  const [products] = b.op('MatMul', [flat, b.constant(normals(24, 3), 'dense.weight')]);
  const [logits] = b.op('Add', [products, b.constant(normals(3), 'dense.bias')]);
  b.output('probabilities', 'float', ['N', 3], b.op('Softmax', [logits], { axis: attribute.int(1) })[0]);
  return encodeModel(b.toModel({ made: 'elsewhere' }));
}
const floats = (file: Uint8Array) =>
  Object.fromEntries(
    Object.entries(decodeModel(file).graph.initializers).map(([name, { data }]) => [
      name,
      Array.from(data as Float32Array),
    ]),
  );

describe('an imported network', () => {
  it.each([13, 17, 20])(
    'of operator set %i is fine-tuned: its weights change and nothing else does',
    async (opset) => {
      const file = classifier(opset);
      const problem = smallProblem(
        {
          network: onnx,
          epochs: 20,
          learningRate: 0.03,
          adversarial: { method: 'pgd', norm: 'l2', epsilon: 0.1, steps: 2 },
        },
        importedNetwork(file, onnx, shape, 3),
      );
      const { theta, metrics } = await optimize(problem, startOf(problem), ignore);
      expect(metrics.trainAccuracy).toBeGreaterThan(0.9);
      const tuned = problem.network.encode(theta);
      expect(problem.network.encode(theta)).toEqual(tuned);
      const [before, after] = [floats(file), floats(tuned)];
      const changed = Object.keys(before).filter((name) => `${before[name]}` !== `${after[name]}`);
      expect(changed.sort()).toEqual(['conv.weight', 'dense.bias', 'dense.weight']);
      const [old, now] = [decodeModel(file), decodeModel(tuned)];
      expect({ ...now, graph: { ...now.graph, initializers: {} } }).toEqual({
        ...old,
        graph: { ...old.graph, initializers: {} },
      });
      // The file answers as the training did.
      const { probabilities } = await (await openSession(tuned, { place: 'inline' })).run({
        image: floatTensor([20, ...shape], problem.train.inputs),
      });
      const answers = probabilities!.data as Float32Array;
      const right = Array.from(problem.train.labels).filter((label, row) => {
        const scores = answers.subarray(row * 3, row * 3 + 3);
        return scores.indexOf(Math.max(...scores)) === label;
      });
      expect(right.length / 20).toBe(metrics.trainAccuracy);
    },
  );

  it('that was built here trains to the same file as it did before it was a file', async () => {
    const built = smallProblem({ network: { kind: 'cnn', channels: [3], hidden: [5] } });
    const start = startOf(built);
    const file = built.network.encode(start.theta);
    const imported = smallProblem({ network: onnx }, importedNetwork(file, onnx, shape, 3));
    const one = await optimize(built, start, ignore);
    const two = await optimize(imported, startOf(imported), ignore);
    expect(imported.network.encode(two.theta)).toEqual(built.network.encode(one.theta));
  });

  it('of recurrent cells is trained in its steps, and its file keeps the node', async () => {
    const stream = randomStream(4, 'recurrent');
    const normals = (...dims: number[]) =>
      floatTensor(
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.4 * stream.normal()),
      );
    const b = graphBuilder(17);
    b.input('image', 'float', ['N', ...shape]);
    const [rows] = b.op('Squeeze', ['image', b.constant(int64Vector([1]), 'channel')]);
    const [sequence] = b.op('Transpose', [rows], { perm: attribute.ints([1, 0, 2]) });
    const weights = [b.constant(normals(1, 9, 4), 'w'), b.constant(normals(1, 9, 3), 'r')];
    const [, last] = b.op('GRU', [sequence, ...weights], { hidden_size: attribute.int(3) }, 2);
    b.output('logits', 'float', ['N', 3], b.op('Squeeze', [last, b.constant(int64Vector([0]), 'way')])[0]);
    const file = encodeModel(b.toModel());
    const problem = smallProblem({ network: onnx, epochs: 5 }, importedNetwork(file, onnx, shape, 3));
    const { theta } = await optimize(problem, startOf(problem), ignore);
    const tuned = problem.network.encode(theta);
    expect(decodeModel(tuned).graph.nodes).toEqual(decodeModel(file).graph.nodes);
    for (const name of ['w', 'r']) expect(floats(tuned)[name]).not.toEqual(floats(file)[name]);
  });

  it('trains only what is chosen by name', () => {
    const tuned = importedNetwork(classifier(17), { ...onnx, trainable: ['dense.*', 'scale'] }, shape, 3);
    expect(tuned.count).toBe(24 * 3 + 3 + 1);
  });

  it.each([
    [['head.*'], shape, 3, /named head\.\*, got .*conv\.weight/],
    [undefined, [1, 5, 5], 3, /of \[N, 1, 5, 5\] into 3 classes, got one of \[N, 1, 4, 4\] into 3/],
    [undefined, shape, 4, /into 4 classes/],
  ])('that does not fit is refused: %j [%s] %i', (trainable, given, classes, message) => {
    const spec = trainable ? { ...onnx, trainable } : onnx;
    expect(() => importedNetwork(classifier(17), spec, given, classes)).toThrow(message);
  });
});
