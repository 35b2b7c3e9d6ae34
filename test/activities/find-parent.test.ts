import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createControlActivities, type ParentQuery } from '../../src/activities/index.js';
import { type Digest, gatesSchema, trainingSchema } from '../../src/core/spec/index.js';
import { digestOf } from '../../src/core/store/index.js';
import { type SignedChain, signedChain, type TestModel } from '../gateway/signed-chain.js';
import { attempt } from './attempt.js';

let chain: SignedChain;
let models: readonly TestModel[];
beforeEach(async () => {
  chain = await signedChain();
  models = [await chain.model(0), await chain.model(1)];
});
afterEach(() => chain.remove());

const built = (network: object) =>
  trainingSchema.parse({ trainer: 'built-in', parameters: { network, epochs: 1 } });
const gates = gatesSchema.parse([{ gate: 'evasion', norm: 'linf', epsilon: 0.1, minimum: 0.5 }]);
const query = (model: Digest, changes: Partial<ParentQuery> = {}): ParentQuery => ({
  model,
  training: built({ kind: 'linear' }),
  gates,
  endpoint: 'samples',
  ...changes,
});
const find = (asked: ParentQuery) =>
  attempt().run(() =>
    createControlActivities({
      store: chain.store,
      trust: chain.policy,
      scratch: '',
      identity: 'control',
    }).findParent(asked),
  );
const publish = async (model: TestModel, revision: number) =>
  chain.point({ release: await chain.release(model, revision), revision });

describe('the parent of a model', () => {
  it('is the file that it was fine-tuned from, whatever is live', async () => {
    await publish(models[0]!, 1);
    const folder = path.join(chain.folder, '..', 'program');
    await mkdir(path.join(folder, 'models'), { recursive: true });
    await writeFile(path.join(folder, 'models/base.onnx'), 'a file');
    const program = await chain.store.putTree(folder);
    const fineTuned = (file: string) => ({ training: built({ kind: 'onnx', file }), program });
    expect(await find(query(models[1]!.model, fineTuned('./models/base.onnx')))).toMatchObject({
      value: digestOf('a file'),
    });
    expect(await find(query(models[1]!.model, fineTuned('other.onnx')))).toMatchObject({
      kind: 'refused',
      code: 'inputs-mismatch',
    });
  });

  it('is else the model that it would replace, and none where it would replace itself', async () => {
    const [first, second] = models as [TestModel, TestModel];
    expect(await find(query(first.model))).toMatchObject({ kind: 'done', value: null });
    await publish(first, 1);
    expect(await find(query(first.model))).toMatchObject({ value: null });
    expect(await find(query(second.model))).toMatchObject({ value: first.onnx });
    await publish(second, 2);
    expect(await find(query(second.model))).toMatchObject({ value: first.onnx });
    expect(await find(query(first.model))).toMatchObject({ value: second.onnx });
  });

  it('is none that does not verify, or takes other inputs', async () => {
    const [first, second] = models as [TestModel, TestModel];
    const folder = path.join(chain.folder, '..', 'stranger');
    await mkdir(folder);
    await writeFile(path.join(folder, 'model-card.json'), '{}');
    await publish(first, 1);
    expect(await find(query(await chain.store.putTree(folder)))).toMatchObject({ value: null });
    await chain.flipByte(first.onnx);
    expect(await find(query(second.model))).toMatchObject({ value: null });
  });

  it('is not asked for where no gate attacks through it', async () => {
    await publish(models[0]!, 1);
    const others = gatesSchema.parse([
      { gate: 'accuracy', minimum: 0.5 },
      { gate: 'evasion', norm: 'linf', epsilon: 0.1, minimum: 0.5, attacks: [{ attack: 'fgsm' }] },
    ]);
    expect(await find(query(models[1]!.model, { gates: others }))).toMatchObject({ value: null });
  });
});
