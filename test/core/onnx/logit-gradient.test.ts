import {
  attribute,
  encodeModel,
  floatTensor,
  graphBuilder,
  logitGradientModel,
  logitsModel,
  type Model,
  openSession,
} from '../../../src/core/onnx/index.js';

/** Two values, three classes, a final Softmax: logits = x · W. */
function linear(): Model {
  const b = graphBuilder(17);
  const x = b.input('x', 'float', ['N', 2]);
  const [logits] = b.op('MatMul', [x, b.constant(floatTensor([2, 3], [1, 2, 3, -4, 5, -6]), 'w')]);
  b.output('p', 'float', ['N', 3], b.op('Softmax', [logits], { axis: attribute.int(1) })[0]);
  return b.toModel();
}

async function run(model: Model, feeds: Readonly<Record<string, ReturnType<typeof floatTensor>>>) {
  const session = await openSession(encodeModel(model), { place: 'inline' });
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

describe('the models of an attacker who has a loss of his own', () => {
  const input = floatTensor([2, 2], [1, 0, 0.5, 2]);

  it('give the logits that a final Softmax is taken of', async () => {
    const { logits } = await run(logitsModel(linear()), { input });
    expect([...logits!.data]).toEqual([1, 2, 3, -7.5, 11, -10.5]);
  });

  it('carry each sample’s own weights back to its own input', async () => {
    const weights = floatTensor([2, 3], [1, 0, -1, 0, 0.5, 0]);
    const { gradient } = await run(logitGradientModel(linear()), { input, weights });
    expect([...gradient!.data]).toEqual([-2, 2, 1, 2.5]);
  });
});
