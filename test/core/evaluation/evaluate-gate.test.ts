import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest } from '../../../src/core/data/index.js';
import { type Block, decideAgain, evaluateGate, measureShard } from '../../../src/core/evaluation/index.js';
import { encodeModel, floatTensor, graphBuilder } from '../../../src/core/onnx/index.js';
import {
  type Digest,
  dataSchema,
  type GateSpec,
  gatesSchema,
  type ModelCard,
  verdictSchema,
} from '../../../src/core/spec/index.js';
import { digestOf, openStore, type Store } from '../../../src/core/store/index.js';
import { field } from '../onnx/scan/protobuf.js';
import { CLASSES, clouds, networkOnnx, SIZE, train } from './small-models.js';

const columns = Array.from({ length: SIZE }, (_, i) => `x${i}`);
const classes = ['a', 'b', 'c'];
const [accuracy, evasion, strict, certified, extraction] = gatesSchema.parse([
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
  {
    gate: 'certified',
    method: 'smoothing',
    norm: 'l2',
    epsilon: 0.05,
    minimum: 0.6,
    samples: 40,
    smoothing: { sigma: 0.1, n: 300, n0: 20 },
  },
  {
    gate: 'extraction',
    maximum: 0.5,
    queries: 200,
    samples: 40,
    reveals: { outputs: ['label', 'probabilities'], decimals: 1, noise: 0.3 },
  },
]) as [GateSpec, GateSpec, GateSpec, GateSpec, GateSpec];

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
  options: {
    model?: Digest;
    parent?: Digest;
    signal?: AbortSignal;
    onProgress?: (f: number) => void;
    shards?: number;
  } = {},
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

  it('opens no model in which a scan finds an error', async () => {
    const script = field(14, [field(1, 'note'), field(2, '#!/bin/sh')]);
    const planted = await putModel(Buffer.concat([networkOnnx(train(clouds(50, 'train'), 1)), script]));
    await expect(evaluate(accuracy, { model: planted })).rejects.toMatchObject({ code: 'model-unsafe' });
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

  it('names the parent that it attacked through, and is another evaluation with another parent', async () => {
    const parents = await Promise.all(
      [10, 12].map((epochs) => store.putBlob(networkOnnx(train(clouds(200, 'train'), epochs)))),
    );
    const [one, other, none] = [
      await evaluate(evasion, { parent: parents[0]! }),
      await evaluate(evasion, { parent: parents[1]! }),
      await evaluate(evasion),
    ];
    expect(new Set([one, other, none].map(({ evidence }) => evidence)).size).toBe(3);
    expect(Object.keys(one.figures)).toContain('robust accuracy after transfer');
    const headers = await Promise.all(
      [one, other, none].map(async ({ evidence }) => {
        const [line] = new TextDecoder().decode(await store.readBlob(evidence)).split('\n');
        return (JSON.parse(line!) as { parent: Digest | null }).parent;
      }),
    );
    expect(headers).toEqual([...parents, null]);
    const about = { model, snapshot };
    await expect(decideAgain(store, evasion, one, { ...about, parent: parents[0]! })).resolves.toEqual(one);
    // Evidence without the attack passes for no verdict on a model that has a parent, nor with another one.
    for (const [verdict, parent] of [
      [none, parents[0]!],
      [one, parents[1]!],
    ] as const) {
      await expect(decideAgain(store, evasion, verdict, { ...about, parent })).rejects.toMatchObject({
        code: 'verdict-forged',
        details: [expect.stringMatching(/^parent: expected/)],
      });
    }
  });

  it('steals the model through what clients are told of it, and says how well the copy agrees, twice alike', async () => {
    const [verdict, again] = [await evaluate(extraction), await evaluate(extraction)];
    expect(again).toEqual(verdict);
    // The clouds are far apart: any thief gets them right.
    expect(verdict).toMatchObject({ status: 'fail', bound: 'maximum', threshold: 0.5, n: 40 });
    expect(verdict.estimate).toBeGreaterThan(0.9);
    expect(verdict.figures['agreement without hardening of jacobian']).toBeGreaterThan(0.9);
    await expect(decideAgain(store, extraction, verdict, { model, snapshot })).resolves.toEqual(verdict);
    const lines = new TextDecoder()
      .decode(await store.readBlob(verdict.evidence))
      .trim()
      .split('\n');
    const rows = lines.slice(1).map((line) => JSON.parse(line) as { told: number; confidence: number });
    for (const { told } of rows) expect(told).toBe(Number(told.toFixed(1)));
    expect(rows.some(({ told, confidence }) => Math.abs(told - confidence) > 0.05)).toBe(true);
  });

  it('refuses a parent that does not fit the model', async () => {
    const b = graphBuilder(17);
    const x = b.input('x', 'float', ['N', SIZE]);
    const weights = b.constant(floatTensor([SIZE, 2], new Float32Array(2 * SIZE).fill(0.1)), 'w');
    b.output('y', 'float', ['N', 2], b.op('MatMul', [x, weights])[0]);
    const parent = await store.putBlob(encodeModel(b.toModel()));
    await expect(evaluate(evasion, { parent })).rejects.toMatchObject({ code: 'model-unfit' });
  });

  describe('goes on where a shard was interrupted, to the same bytes, and does nothing again', () => {
    const measure = async (gate: GateSpec, block: Block, resumeFrom?: Digest) => {
      const points: Digest[] = [];
      const shard = await measureShard({
        ...{ store, gate, model, snapshot, workFolder, block },
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onResumePoint: (point) => points.push(point),
        ...(resumeFrom && { resumeFrom }),
      });
      return { shard, points };
    };
    // Some samples break, so that examples are carried along too; the first of a draw are looked at more closely, which takes time.
    const attacks = ['fgsm', 'pgd', 'apgd-ce', 'square'].map((attack) => ({ attack }));
    const attacked = { ...strict, attacks, epsilon: 0.15, samples: 60, apgd: { steps: 10 } };
    const bounded = { gate: 'certified', method: 'crown', norm: 'linf', epsilon: 0.01, minimum: 0.5 };

    it.each<[string, object, number]>([
      ['after any attack', attacked, 7],
      ['after any sample certified by smoothing', { ...certified, samples: 60 }, 9],
      ['after some samples certified by bounds', bounded, 1],
    ])('%s', async (_, unparsed, least) => {
      const [gate] = gatesSchema.parse([unparsed]) as [GateSpec];
      const block = { from: 40, to: 50 };
      const whole = await measure(gate, block);
      expect(whole.points.length).toBeGreaterThanOrEqual(least);
      for (const [taken, point] of whole.points.entries()) {
        const { shard, points } = await measure(gate, block, point);
        expect([taken, shard]).toEqual([taken, whole.shard]);
        expect(points).toEqual(whole.points.slice(taken + 1));
      }
      // What is not about this very work is not believed.
      const elsewhere = (await measure(gate, { from: 0, to: 12 })).points.at(-1)!;
      for (const other of [elsewhere, await store.putBlob(Buffer.from('{}')), digestOf('gone')]) {
        expect(await measure(gate, block, other)).toEqual(whole);
      }
    });
  });

  it('fails a model at a radius that it cannot withstand, with the reason in numbers', async () => {
    const verdict = await evaluate(strict);
    expect(verdict).toMatchObject({ gate: 'strict', kind: 'evasion', status: 'fail' });
    expect(verdict.reasons[0]).toMatch(
      /^Robust accuracy 0\.0000, 95 % interval .* of 40 samples, lies wholly below/,
    );
    await expect(decideAgain(store, strict, verdict, { model, snapshot })).resolves.toEqual(verdict);
  });

  it('judges the accuracy of the smoothed classifier, abstentions included, where that is what is served', async () => {
    const smoothed = (sigma: number) =>
      putModel(networkOnnx(train(clouds(200, 'train'), 15)), (card) => ({
        ...card,
        smoothing: { sigma, samples: 50, alpha: 0.001 },
      }));
    const plain = (await evaluate(accuracy)).estimate;
    const [gentle, harsh] = [await smoothed(0.05), await smoothed(4)];
    expect((await evaluate(accuracy, { model: gentle })).estimate).toBeGreaterThan(0.9 * plain);
    const verdict = await evaluate(accuracy, { model: harsh });
    expect(verdict.estimate).toBeLessThan(0.6 * plain);
    expect(await evaluate(accuracy, { model: harsh, shards: 3 })).toEqual(verdict);
    expect(new TextDecoder().decode(await store.readBlob(verdict.evidence))).toContain('"predicted":-1');
  });

  it('certifies by smoothing: the same evidence however it is sharded, and none that does not follow from votes', async () => {
    const verdict = await evaluate(certified);
    expect(verdictSchema.parse(verdict)).toEqual(verdict);
    expect(verdict).toMatchObject({ status: 'pass', metric: 'certified accuracy', n: 40, threshold: 0.6 });
    expect(await evaluate(certified, { shards: 7 })).toEqual(verdict);
    await expect(decideAgain(store, certified, verdict, { model, snapshot })).resolves.toEqual(verdict);

    const text = new TextDecoder().decode(await store.readBlob(verdict.evidence));
    for (const [found, instead] of [
      [/"radius":[0-9.]+/, '"radius":0.3'],
      [/"count":\d+/, '"count":200'],
      [/"votes":\{[^}]+\}/, '"votes":null'],
    ] as const) {
      const evidence = await store.putBlob(Buffer.from(text.replace(found, instead)));
      await expect(
        decideAgain(store, certified, { ...verdict, evidence }, { model, snapshot }),
      ).rejects.toMatchObject({
        code: 'verdict-forged',
        details: [expect.stringContaining('the certificate does not follow from the votes')],
      });
    }
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
