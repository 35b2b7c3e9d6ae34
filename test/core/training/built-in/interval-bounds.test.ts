import { encodeModel, floatTensor, graphBuilder, openSession } from '../../../../src/core/onnx/index.js';
import { randomStream } from '../../../../src/core/random/index.js';
import { oneHot } from '../../../../src/core/training/built-in/batch.js';
import { logitsModel } from '../../../../src/core/training/built-in/graphs.js';
import { worstCaseLogits } from '../../../../src/core/training/built-in/interval-bounds.js';
import { smallProblem } from './small-problem.js';

const { network, train } = smallProblem({
  network: { kind: 'cnn', channels: [4, 5], kernel: [2, 3], pool: [true, false], hidden: [6] },
});
const stream = randomStream(8, 'bounds');
const theta = floatTensor(
  [network.count],
  network.initial(3).map((value) => value + 0.1 * stream.normal()),
);
const rows = train.labels.length;
const everyone = Uint32Array.from({ length: rows }, (_, i) => i);
const labels = oneHot(train.labels, 3, everyone);
const tensor = (values: Float32Array) => floatTensor([rows, 1, 4, 4], values);

async function bounds(epsilon: number): Promise<Float32Array> {
  const builder = graphBuilder(network.opset);
  const image = (name: string) => builder.input(name, 'float', ['N', 1, 4, 4]);
  const { weight } = network.bind(builder, builder.input('theta', 'float', [network.count]));
  const interval = { lower: image('lower'), upper: image('upper') };
  const isLabel = builder.input('labels', 'float', ['N', 3]);
  const worst = worstCaseLogits(builder, network, weight, interval, isLabel);
  builder.output('worst', 'float', ['N', 3], worst);
  const session = await openSession(encodeModel(builder.toModel()), { place: 'inline' });
  const results = await session.run({
    theta,
    labels,
    lower: tensor(train.inputs.map((value) => value - epsilon)),
    upper: tensor(train.inputs.map((value) => value + epsilon)),
  });
  return results.worst!.data as Float32Array;
}

/** How far each class is ahead of the label, [rows, 3]. */
async function leads(inputs: Float32Array): Promise<Float32Array> {
  const session = await openSession(logitsModel(network), { place: 'inline' });
  const logits = (await session.run({ theta, input: tensor(inputs) })).logits!.data as Float32Array;
  return logits.map((value, i) => {
    const row = Math.floor(i / 3);
    return value - logits[row * 3 + train.labels[row]!]!;
  });
}

describe('interval bounds', () => {
  it('are the leads themselves for an interval that is a point', async () => {
    const worst = await bounds(0);
    const exact = await leads(train.inputs);
    for (const [i, value] of worst.entries()) expect(value).toBeCloseTo(exact[i]!, 5);
  });

  it('hold for every point that is drawn from the box, its corners included, and not for one far outside', async () => {
    const epsilon = 0.05;
    const worst = await bounds(epsilon);
    let closest = Number.POSITIVE_INFINITY;
    for (let draw = 0; draw < 200; draw++) {
      const corner = draw % 2 === 0;
      const points = train.inputs.map((value) => {
        const u = 2 * stream.uniform() - 1;
        return value + epsilon * (corner ? Math.sign(u) : u);
      });
      for (const [i, lead] of (await leads(points)).entries()) {
        expect(lead).toBeLessThanOrEqual(worst[i]! + 1e-5);
        if (i % 3 !== train.labels[Math.floor(i / 3)]) closest = Math.min(closest, worst[i]! - lead);
      }
    }
    // Bounds that hold because they are infinite would prove nothing.
    expect(closest).toBeLessThan(0.5);
    const far = await leads(train.inputs.map(() => stream.uniform() * 8 - 4));
    expect(far.some((lead, i) => lead > worst[i]!)).toBe(true);
  });
});
