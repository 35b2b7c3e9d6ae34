import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RefusedError } from '../../../../src/core/errors/index.js';
import { probeModel } from '../../../../src/core/onnx/index.js';
import { attribute, field, graph, int64s, model, node, tensor, value } from './protobuf.js';

const refusal = async (bytes: Uint8Array, limits = {}): Promise<string> => {
  const error = await probeModel(bytes, limits).catch((thrown: unknown) => thrown);
  return error instanceof RefusedError ? `${error.code}: ${error.message}` : `no refusal: ${String(error)}`;
};

const boolean = 9;
const int64 = 7;
/** Hands `x` round 2⁶² times. */
const body = graph(
  [node('Identity', ['go'], ['on']), node('Identity', ['v'], ['w'])],
  [],
  field(11, value('i', [], int64)),
  field(11, value('go', [], boolean)),
  field(11, value('v')),
  field(12, value('on', [], boolean)),
  field(12, value('w')),
);
const endless = model({
  nodes: [node('Loop', ['n', '', 'x'], ['y'], attribute('body', 5, field(6, body)))],
  initializers: [tensor('n', int64, [], int64s([2n ** 62n]))],
});

describe('trying a model in a process of its own', () => {
  test('lets an honest model pass', async () => {
    await probeModel(readFileSync(path.join(__dirname, '../../attacks/fixtures/digits-cnn.onnx')));
  });

  test('ends one that fills the memory, while it loads or runs', async () => {
    const eightGigabytes = model({
      nodes: [
        node('ConstantOfShape', ['n'], ['c']),
        node('ReduceSum', ['c'], ['s'], attribute('keepdims', 2, field(3, 0))),
        node('Add', ['x', 's'], ['y']),
      ],
      initializers: [tensor('n', int64, [2], int64s([2, 2n ** 30n]))],
    });
    expect(await refusal(eightGigabytes, { memoryBytes: 2 ** 29 })).toMatch(
      /^model-unsafe: model: expected it to load and run in \d+ bytes of memory, got more/,
    );
  });

  test('ends one that does not', async () => {
    expect(await refusal(endless, { timeMs: 3000 })).toMatch(
      /^model-unsafe: model: expected it to load and run once in 3000 ms, got longer/,
    );
  });

  test('says why ONNX Runtime cannot load one', async () => {
    expect(await refusal(model({ nodes: [node('Backdoor', ['x'], ['y'])] }))).toMatch(
      /^model-unreadable: ONNX Runtime cannot load the model: .*Backdoor/,
    );
  });
});
