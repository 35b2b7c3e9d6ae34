import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest } from '../../../src/core/data/index.js';
import { decideAgain, evaluateGate } from '../../../src/core/evaluation/index.js';
import {
  type Digest,
  dataSchema,
  type GateSpec,
  gatesSchema,
  type ModelCard,
  verdictSchema,
} from '../../../src/core/spec/index.js';
import { openStore, type Store } from '../../../src/core/store/index.js';
import { CLASSES, clouds, networkOnnx, SIZE, train } from './small-models.js';

const columns = Array.from({ length: SIZE }, (_, i) => `x${i}`);
const classes = ['a', 'b', 'c'];
const [accuracy, evasion, strict] = gatesSchema.parse([
  { gate: 'accuracy', minimum: 0.8, minimumPerClass: 0.5 },
  { gate: 'evasion', norm: 'linf', epsilon: 0.02, minimum: 0.7, samples: 40, pgd: { steps: 5, restarts: 1 } },
  {
    gate: 'evasion',
    name: 'strict',
    norm: 'linf',
    epsilon: 0.4,
    minimum: 0.7,
    samples: 40,
    pgd: { steps: 5, restarts: 1 },
  },
]) as [GateSpec, GateSpec, GateSpec];

let root: string;
let workFolder: string;
let store: Store;
let snapshot: Digest;
let model: Digest;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'evaluate-gate-'));
  workFolder = path.join(root, 'work');
  await mkdir(workFolder);
  store = await openStore(pathToFileURL(path.join(root, 'store')).href);
  const { ids, inputs, labels } = clouds(400, 'all');
  const lines = ids.map((id, row) =>
    [id, ...inputs.subarray(row * SIZE, (row + 1) * SIZE), classes[labels[row]!]].join(','),
  );
  const result = await ingest({
    store,
    source: await store.putBlob(
      Buffer.from([['id', ...columns, 'label'].join(','), ...lines, ''].join('\n')),
    ),
    data: dataSchema.parse({
      source: 'clouds.csv',
      id: 'id',
      label: { column: 'label', classes },
      features: [{ columns, type: 'number', minimum: 0, maximum: 1 }],
    }),
    workFolder,
  });
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  snapshot = result.record.snapshot;
  model = await putModel(networkOnnx(train(clouds(200, 'train'), 15)));
});

afterAll(() => rm(root, { recursive: true }));

async function putModel(
  onnx: Uint8Array,
  change: (card: ModelCard) => ModelCard = (card) => card,
): Promise<Digest> {
  const folder = await mkdtemp(path.join(root, 'model-'));
  const card: ModelCard = {
    version: 1,
    name: 'clouds',
    input: {
      name: 'x',
      shape: [SIZE],
      minimum: columns.map(() => 0),
      maximum: columns.map(() => 1),
      columns,
    },
    output: { name: 'logits', classes },
    snapshot,
    training: { trainer: 'test', seed: 1, parameters: {} },
  };
  await writeFile(path.join(folder, 'model.onnx'), onnx);
  await writeFile(path.join(folder, 'model-card.json'), JSON.stringify(change(card)));
  return store.putTree(folder);
}

const evaluate = (
  gate: GateSpec,
  options: { model?: Digest; signal?: AbortSignal; onProgress?: (f: number) => void } = {},
) =>
  evaluateGate({
    store,
    gate,
    model,
    snapshot,
    workFolder,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...options,
  });

describe('evaluating a gate', () => {
  it('gives a verdict on accuracy over the whole test split, which its evidence gives again', async () => {
    const verdict = await evaluate(accuracy);
    expect(verdictSchema.parse(verdict)).toEqual(verdict);
    expect(verdict).toMatchObject({ gate: 'accuracy', status: 'pass', metric: 'accuracy', threshold: 0.8 });
    expect(Object.keys(verdict.figures)).toHaveLength(CLASSES);
    await expect(decideAgain(store, accuracy, verdict, { model, snapshot })).resolves.toEqual(verdict);
  });

  it('gives a verdict on evasion with the same evidence, byte for byte, after an interruption', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    await expect(
      evaluate(evasion, {
        signal: stop.signal,
        onProgress: (fraction) => {
          if (fraction > 0.3) stop.abort(new Error('worker lost'));
        },
      }),
    ).rejects.toThrow('worker lost');
    const [verdict, again] = [
      await evaluate(evasion, { onProgress: (fraction) => seen.push(fraction) }),
      await evaluate(evasion),
    ];
    expect(verdict).toMatchObject({ status: 'pass', metric: 'robust accuracy', n: 40 });
    expect(again).toEqual(verdict);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
    expect(seen.at(-1)).toBe(1);
    await expect(decideAgain(store, evasion, verdict, { model, snapshot })).resolves.toEqual(verdict);
    expect(await readdir(workFolder)).toEqual([]);
  });

  it('fails a model at a radius that it cannot withstand, with the reason in numbers', async () => {
    const verdict = await evaluate(strict);
    expect(verdict).toMatchObject({ gate: 'strict', kind: 'evasion', status: 'fail' });
    expect(verdict.reasons[0]).toMatch(
      /^Robust accuracy 0\.0000, 95 % interval .* of 40 samples, lies wholly below/,
    );
    await expect(decideAgain(store, strict, verdict, { model, snapshot })).resolves.toEqual(verdict);
  });

  it.each<[string, (card: ModelCard) => ModelCard]>([
    ['classes', (card) => ({ ...card, output: { ...card.output, classes: ['c', 'b', 'a'] } })],
    ['shape', (card) => ({ ...card, input: { ...card.input, shape: [1, SIZE] } })],
    ['columns', (card) => ({ ...card, input: { ...card.input, columns: [...columns].reverse() } })],
  ])('refuses a model whose card has other %s than the snapshot', async (field, change) => {
    const other = await putModel(new Uint8Array(), change);
    await expect(evaluate(accuracy, { model: other })).rejects.toMatchObject({
      code: 'model-unreadable',
      message: expect.stringContaining(`expected the snapshot's ${field}`),
    });
    expect(await readdir(workFolder)).toEqual([]);
  });
});
