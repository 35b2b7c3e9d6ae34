import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusedError } from '../../../src/core/errors/index.js';
import {
  type Digest,
  modelCardSchema,
  type TrainingSpec,
  trainingSchema,
} from '../../../src/core/spec/index.js';
import { digestOf, type Store } from '../../../src/core/store/index.js';
import { layersOf } from '../../../src/core/training/built-in/layers.js';
import { encodeNetwork } from '../../../src/core/training/built-in/model-file.js';
import {
  type TrainingProgress,
  type TrainOptions,
  train,
  trainingKey,
} from '../../../src/core/training/index.js';
import { field } from '../onnx/scan/protobuf.js';
import { digitsSnapshot } from './snapshots.js';

let folder: string;
let store: Store;
let snapshot: Digest;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'train-'));
  ({ store, snapshot } = await digitsSnapshot(folder, 1797));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let runs = 0;
async function trainOnDigits(training: unknown, more: Partial<TrainOptions> = {}) {
  const workFolder = path.join(folder, `work-${runs++}`);
  await mkdir(workFolder);
  return train({
    store,
    snapshot,
    name: 'digits',
    training: trainingSchema.parse(training),
    workFolder,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    now: () => new Date(Date.UTC(2026, 0, 1, 0, 0, runs)),
    ...more,
  });
}
const mlp = {
  trainer: 'built-in',
  seed: 7,
  parameters: { network: { kind: 'mlp', hidden: [64] }, epochs: 15, learningRate: 0.003 },
};
const linear = { trainer: 'built-in', parameters: { network: { kind: 'linear' }, epochs: 2 } };
/** 160 steps, with a checkpoint after each few of them. */
const cnn = {
  trainer: 'built-in',
  parameters: {
    network: { kind: 'cnn', channels: [8], pool: [true] },
    epochs: 8,
    adversarial: { method: 'pgd', norm: 'linf', epsilon: 0.1, steps: 2 },
    checkpointEverySeconds: 0.02,
  },
};
async function modelFile(model: Digest, name: string): Promise<string> {
  const entry = (await store.readTree(model)).find((file) => file.path === name);
  return Buffer.from(await store.readBlob(entry!.digest)).toString('utf8');
}
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Error) => error,
  );

describe('training on handwritten digits', () => {
  it('gives an accurate model, its card and its metrics, and the same folder in a second process', async () => {
    const reports: TrainingProgress[] = [];
    const one = await trainOnDigits(mlp, { onProgress: (report) => void reports.push(report) });
    const two = await trainOnDigits({ ...mlp, timeoutMinutes: 1 });

    expect(one.metrics.validationAccuracy).toBeGreaterThan(0.92);
    expect(reports.at(-1)).toMatchObject({ fraction: 1, metrics: { loss: expect.any(Number) } });
    expect(two.model).toBe(one.model);
    expect(two.startedAt).not.toBe(one.startedAt);
    expect((await store.readTree(one.model)).map((file) => file.path)).toEqual([
      'metrics.json',
      'model-card.json',
      'model.onnx',
    ]);
    expect(JSON.parse(await modelFile(one.model, 'metrics.json'))).toEqual(one.metrics);
    expect(modelCardSchema.parse(JSON.parse(await modelFile(one.model, 'model-card.json')))).toMatchObject({
      name: 'digits',
      snapshot,
      input: { name: 'input', shape: [1, 8, 8], maximum: Array.from({ length: 64 }, () => 1) },
      output: { name: 'logits', classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
      training: { trainer: 'built-in/2', seed: 7 },
    });
    const environment = JSON.parse(Buffer.from(await store.readBlob(one.environment)).toString('utf8'));
    expect(environment).toMatchObject({ node: process.versions.node, runtime: 'onnxruntime-node' });
  });

  it('aborted and resumed elsewhere from a stored checkpoint, gives the same folder', async () => {
    const undisturbed = await trainOnDigits(cnn);
    const abort = new AbortController();
    let checkpoint: Digest | undefined;
    let checkpoints = 0;
    const aborted = trainOnDigits(cnn, {
      onProgress: (report) => {
        checkpoint = report.checkpoint;
        if (checkpoint) checkpoints += 1;
        if (checkpoints === 5) abort.abort(new Error('worker is going'));
      },
      signal: abort.signal,
    });
    expect(await failureOf(aborted)).toMatchObject({ message: 'worker is going' });

    const reports: TrainingProgress[] = [];
    const resumed = await trainOnDigits(cnn, {
      resumeFrom: checkpoint!,
      onProgress: (report) => void reports.push(report),
    });
    expect(resumed.model).toBe(undisturbed.model);
    expect(reports[0]!.fraction).toBeGreaterThan(5 / 160);
    expect(reports[0]!.checkpoint).toBeDefined();
  });

  it('does without a checkpoint that the store has lost or that was damaged there', async () => {
    const { model } = await trainOnDigits(linear);
    expect((await trainOnDigits(linear, { resumeFrom: digestOf('lost') })).model).toBe(model);

    const damaged = await store.putBlob(Buffer.from('checkpoint'));
    const hex = damaged.slice('sha256:'.length);
    const files = await readdir(folder, { recursive: true });
    const file = path.join(folder, files.find((name) => name.endsWith(hex))!);
    await chmod(file, 0o600);
    await writeFile(file, 'checkpoinT');
    expect((await trainOnDigits(linear, { resumeFrom: damaged })).model).toBe(model);
  });

  it('goes on from a model that came with it, which must be there and nowhere else', async () => {
    const first = await trainOnDigits(linear);
    const folderOf = await mkdtemp(path.join(folder, 'parent-'));
    const { digest } = (await store.readTree(first.model)).find((file) => file.path === 'model.onnx')!;
    await writeFile(path.join(folderOf, 'parent.onnx'), await store.readBlob(digest));
    const program = await store.putTree(folderOf);
    const tuning = (file: string) => ({
      trainer: 'built-in',
      parameters: { network: { kind: 'onnx', file }, epochs: 3 },
    });
    const tuned = await trainOnDigits(tuning('parent.onnx'), { program });
    expect(tuned.metrics.trainLoss!).toBeLessThan(first.metrics.trainLoss!);
    expect(tuned.onnx).not.toBe(first.onnx);
    expect((await trainOnDigits(tuning('parent.onnx'), { program })).model).toBe(tuned.model);
    const script = field(14, [field(1, 'note'), field(2, '#!/bin/sh')]);
    await writeFile(path.join(folderOf, 'evil.onnx'), Buffer.concat([await store.readBlob(digest), script]));
    const planted = await store.putTree(folderOf);
    expect(await failureOf(trainOnDigits(tuning('evil.onnx'), { program: planted }))).toMatchObject({
      code: 'training-refused',
      message: expect.stringContaining('ASSAY-ONNX-080 executable-payload'),
    });
    const elsewhere = path.relative(path.join(folder, 'work-0', 'program'), '/etc/hostname');
    for (const file of ['/etc/hostname', elsewhere]) {
      expect(await failureOf(trainOnDigits(tuning(file), { program }))).toMatchObject({
        code: 'training-refused',
        message: expect.stringContaining('beside the lifecycle file'),
      });
    }
  });

  it("is refused with the trainer's words when the network does not fit or training diverges", async () => {
    const misfit = { ...mlp.parameters, network: { kind: 'cnn', channels: [4], pool: [true, false] } };
    const failure = await failureOf(trainOnDigits({ ...mlp, parameters: misfit }));
    expect(failure).toMatchObject({ code: 'training-refused' });
    expect(failure?.message).toMatch(/refused its parameters: expected network\.pool to have one entry/);
    const hasty = { ...mlp.parameters, learningRate: 1e30 };
    expect((await failureOf(trainOnDigits({ ...mlp, parameters: hasty })))?.message).toMatch(
      /training diverged/,
    );
  });
});

describe('training with a program', () => {
  const layers = layersOf({ kind: 'linear' }, [1, 8, 8], 10);
  const weights = new Float32Array(650).fill(0.5);
  const good = encodeNetwork(layers, [1, 8, 8], 10, weights);

  async function trainWithProgram(model: Uint8Array) {
    const program = await mkdtemp(path.join(folder, 'program-'));
    await writeFile(path.join(program, 'finished.onnx'), model);
    await writeFile(
      path.join(program, 'train.sh'),
      'cp finished.onnx "$8/model.onnx"; echo \'{"loss":1}\' > "$8/metrics.json"; touch "$8/notes.txt"',
    );
    return trainOnDigits(
      { trainer: 'program', command: ['/bin/sh', 'train.sh'], parameters: { depth: 2 } },
      { program: await store.putTree(program) },
    );
  }

  it('runs it beside its files and keeps only what belongs to a model', async () => {
    const record = await trainWithProgram(good);
    expect(record).toMatchObject({ trainer: 'program', metrics: { loss: 1 }, onnx: digestOf(good) });
    expect(await store.readTree(record.model)).toHaveLength(3);
  });

  it.each([
    [
      'for another input shape',
      encodeNetwork(layers, [64], 10, weights),
      /shape \[N, 1, 8, 8\], got \[N, 64\]/,
    ],
    [
      'with another number of classes',
      encodeNetwork(layersOf({ kind: 'linear' }, [1, 8, 8], 9), [1, 8, 8], 9, new Float32Array(585)),
      /shape \[1,10\] for 1 samples, got \[1,9\]/,
    ],
    [
      'with logits that are not finite',
      encodeNetwork(
        layers,
        [1, 8, 8],
        10,
        weights.map(() => Number.NaN),
      ),
      /finite/,
    ],
    ['that is no ONNX', Buffer.from('pickle'), /./],
  ])('refuses a model %s', async (_what, model, message) => {
    const failure = await failureOf(trainWithProgram(model));
    expect(failure).toBeInstanceOf(RefusedError);
    expect(failure?.message).toMatch(message);
  });
});

describe('the key of a training', () => {
  const training: TrainingSpec = trainingSchema.parse(mlp);
  const inputs = { name: 'digits', snapshot: digestOf('snapshot'), training };

  it('changes with whatever determines the model', () => {
    const keys = [
      inputs,
      { ...inputs, name: 'other' },
      { ...inputs, snapshot: digestOf('other') },
      { ...inputs, program: digestOf('program') },
      { ...inputs, training: { ...training, seed: 8 } },
      {
        ...inputs,
        training: trainingSchema.parse({ ...mlp, parameters: { ...mlp.parameters, epochs: 16 } }),
      },
      { ...inputs, training: trainingSchema.parse({ trainer: 'program', command: ['a'] }) },
      { ...inputs, training: trainingSchema.parse({ trainer: 'program', command: ['a', 'b'] }) },
    ].map(trainingKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not change with time limits, hardware or repetition', () => {
    const elsewhere = { ...training, timeoutMinutes: 1, gpu: 'prefer', reproduce: false } as const;
    expect(trainingKey({ ...inputs, training: elsewhere })).toBe(trainingKey(inputs));
  });
});
