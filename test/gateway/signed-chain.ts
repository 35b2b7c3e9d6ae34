import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest } from '../../src/core/data/index.js';
import { attribute, encodeModel, floatTensor, graphBuilder } from '../../src/core/onnx/index.js';
import { endpointRef } from '../../src/core/serving/index.js';
import {
  type Chain,
  type Digest,
  dataSchema,
  gatesSchema,
  type ModelCard,
  type ServedSmoothing,
  type ServingSpec,
  type SnapshotRecord,
  trainingSchema,
  type Verdict,
} from '../../src/core/spec/index.js';
import { digestOf, digestOfJson, openStore, type Store } from '../../src/core/store/index.js';
import {
  attestData,
  attestModel,
  attestVerdicts,
  attestVerification,
  createTrustPolicy,
  generateSigningKey,
  readSigner,
  type Signer,
  signRelease,
  type TrustPolicy,
} from '../../src/core/trust/index.js';

/** Classes of every model here: the model of class *k* always answers `classes[k]`. */
export const classes = ['zero', 'one', 'two'] as const;

export interface TestModel {
  readonly model: Digest;
  readonly onnx: Digest;
  readonly chain: Chain;
}

/** A store with one signing key, models whose chains verify, and a hand on the endpoints' refs. */
export interface SignedChain {
  readonly folder: string;
  readonly store: Store;
  readonly signer: Signer;
  readonly policy: TrustPolicy;
  /** A signed model that answers `classes[answer]` to every input of two values in [0, 1]. */
  readonly model: (answer: number) => Promise<TestModel>;
  /** A signed model that answers `zero` where x > ½ and `one` where not, served smoothed. */
  readonly smoothedModel: (smoothing: ServedSmoothing) => Promise<TestModel>;
  /** Signs a release. */
  readonly release: (
    model: TestModel,
    revision: number,
    options?: {
      readonly endpoint?: string;
      readonly kind?: 'release' | 'rollback';
      readonly serving?: ServingSpec;
    },
  ) => Promise<Digest>;
  /** Moves an endpoint's ref, as its workflow does, to any value at all. */
  readonly point: (value: unknown, endpoint?: string) => Promise<void>;
  /** Changes one byte of a blob, on disk. */
  readonly flipByte: (digest: Digest) => Promise<void>;
  readonly remove: () => Promise<void>;
}

const now = new Date('2026-01-01T00:00:00Z');
const checks = dataSchema.parse({
  source: 'samples.csv',
  id: 'id',
  label: { column: 'label', classes: [...classes] },
  features: [{ columns: ['x', 'y'], type: 'number', minimum: 0, maximum: 1 }],
});
const training = trainingSchema.parse({
  trainer: 'program',
  command: ['train'],
  parameters: { epochs: 1 },
});
const [gate] = gatesSchema.parse([{ gate: 'accuracy', minimum: 0.5 }]);
const cardOf = (snapshot: Digest): ModelCard => ({
  version: 1,
  name: 'samples',
  input: { name: 'input', shape: [2], minimum: [0, 0], maximum: [1, 1], columns: ['x', 'y'] },
  output: { name: 'logits', classes: [...classes] },
  snapshot,
  training: { trainer: 'program', seed: training.seed, parameters: { epochs: 1 } },
});

/** Of a snapshot that nobody looks into. */
const imagined: SnapshotRecord = {
  snapshot: digestOf('snapshot'),
  source: digestOf('source'),
  rows: { train: 70, validation: 10, test: 20 },
  classes: 3,
  features: 2,
};

async function ingested(store: Store, folder: string, rows: readonly string[]): Promise<SnapshotRecord> {
  const source = await store.putBlob(Buffer.from(`id,x,y,label\n${rows.join('\n')}\n`));
  const workFolder = await mkdtemp(path.join(folder, 'ingest-'));
  const result = await ingest({ store, source, data: checks, workFolder });
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  return result.record;
}

/** @param rows - lines of `id,x,y,label`: the models' snapshot is then one that was really ingested */
export async function signedChain(rows?: readonly string[]): Promise<SignedChain> {
  const root = await mkdtemp(path.join(tmpdir(), 'gateway-'));
  const folder = path.join(root, 'store');
  const store = await openStore(pathToFileURL(folder).href);
  const key = await generateSigningKey();
  const signer = readSigner(key.privateKey);
  const policy = createTrustPolicy([{ publicKey: key.publicKey }]);
  const record = rows ? await ingested(store, root, rows) : imagined;
  const { snapshot } = record;
  const card = cardOf(snapshot);
  const data = await attestData(store, signer, record, checks, now);

  const signedModel = async (bytes: Uint8Array, modelCard: ModelCard): Promise<TestModel> => {
    const files = await mkdtemp(path.join(root, 'model-'));
    await writeFile(path.join(files, 'model.onnx'), bytes);
    await writeFile(path.join(files, 'model-card.json'), JSON.stringify(modelCard));
    await writeFile(path.join(files, 'metrics.json'), '{}');
    const model = await store.putTree(files);
    const trained = {
      model,
      onnx: digestOf(bytes),
      snapshot,
      environment: digestOf('environment'),
      metrics: {},
      trainer: 'program',
      seed: training.seed,
      parameters: digestOfJson(training.parameters),
      startedAt: now.toISOString(),
      finishedAt: now.toISOString(),
    };
    const made = await attestModel(store, signer, trained, {
      training,
      builder: 'urn:test',
      invocation: 'one',
    });
    const verdict: Verdict = {
      gate: 'accuracy',
      kind: 'accuracy',
      status: 'pass',
      metric: 'accuracy',
      estimate: 0.9,
      interval: [0.6, 0.99],
      confidence: 0.95,
      n: record.rows.test,
      threshold: 0.5,
      reasons: ['The whole interval lies above 0.5.'],
      figures: {},
      evidence: digestOf('evidence'),
    };
    const tests = await attestVerdicts(
      store,
      signer,
      [gate!],
      [verdict],
      { model, snapshot },
      (_gate, decided) => decided,
    );
    const chain = { data, ...made, tests: [...tests] };
    const evidence = { endpoint: 'samples', model, chain };
    const verification = await attestVerification(store, signer, policy, evidence, 'urn:test', now);
    return { model, onnx: trained.onnx, chain: { ...chain, verification } };
  };

  return {
    folder,
    store,
    signer,
    policy,
    model: (answer) => signedModel(onnxThatAnswers(answer), card),
    smoothedModel: (smoothing) => signedModel(onnxOfHalves(), { ...card, smoothing }),
    release: ({ model, chain }, revision, { endpoint = 'samples', kind = 'release', serving } = {}) =>
      signRelease(store, signer, {
        endpoint,
        revision,
        kind,
        model,
        chain,
        ...(serving && { serving }),
        previous: revision === 1 ? null : digestOf(`revision ${revision - 1}`),
        ...(kind === 'rollback' ? { restores: revision - 2 } : {}),
        reason: 'a test',
        requestedBy: 'unauthenticated (a test)',
        createdAt: now.toISOString(),
      }),
    async point(value, endpoint = 'samples') {
      await store.moveRef(endpointRef(endpoint), await store.readRef(endpointRef(endpoint)), value);
    },
    async flipByte(digest) {
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const file = path.join(entry.parentPath, entry.name);
        const bytes = await readFile(file);
        if (digestOf(bytes) !== digest) continue;
        const middle = Math.floor(bytes.length / 2);
        bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
        await rm(file);
        await writeFile(file, bytes);
        return;
      }
      throw new Error(`expected a file with the bytes of ${digest}`);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** Logits 0·x + bias. */
function onnxThatAnswers(answer: number): Uint8Array {
  return linearOnnx(
    new Float32Array(6),
    classes.map((_, index) => (index === answer ? 4 : 0)),
  );
}

/** Logits x − ½, ½ − x, −1 of samples (x, y). */
function onnxOfHalves(): Uint8Array {
  return linearOnnx(Float32Array.from([1, -1, 0, 0, 0, 0]), [-0.5, 0.5, -1]);
}

function linearOnnx(weights: Float32Array, biases: readonly number[]): Uint8Array {
  const graph = graphBuilder(17);
  const input = graph.input('input', 'float', ['N', 2]);
  const weight = graph.constant(floatTensor([2, 3], weights), 'weight');
  const bias = graph.constant(floatTensor([3], biases), 'bias');
  const [logits] = graph.op('Gemm', [input, weight, bias], { alpha: attribute.float(1) });
  graph.output('logits', 'float', ['N', 3], logits);
  return encodeModel(graph.toModel());
}
