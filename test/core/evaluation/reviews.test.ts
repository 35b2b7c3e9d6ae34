import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest, readSplit } from '../../../src/core/data/index.js';
import { evaluateGate } from '../../../src/core/evaluation/index.js';
import { readInferenceRequest } from '../../../src/core/serving/index.js';
import { modelCardSchema, parseLifecycle, revealsSchema } from '../../../src/core/spec/index.js';
import { openStore } from '../../../src/core/store/index.js';
import { train } from '../../../src/core/training/index.js';

const example = path.resolve(__dirname, '../../../examples/reviews');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reviews-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let works = 0;
async function workFolder(): Promise<string> {
  const work = path.join(folder, `work-${works++}`);
  await mkdir(work);
  return work;
}
const signal = new AbortController().signal;

it('the review example makes of ratings a classifier of texts, which a server asks as the gate did', async () => {
  const store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
  const lifecycle = parseLifecycle(await readFile(path.join(example, 'lifecycle.yaml')), 'lifecycle.yaml');
  const bytes = await readFile(path.join(example, 'reviews.jsonl'));
  // Smaller than shipped, for the sake of time.
  const data = { ...lifecycle.data, text: { ...lifecycle.data.text!, buckets: 1024 } };
  const result = await ingest({
    store,
    source: await store.putBlob(bytes),
    data,
    workFolder: await workFolder(),
  });
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  const { snapshot } = result.record;
  const { model } = await train({
    store,
    snapshot,
    name: 'reviews',
    training: {
      ...lifecycle.training,
      parameters: { ...lifecycle.training.parameters, network: { kind: 'mlp', hidden: [8] } },
    } as typeof lifecycle.training,
    workFolder: await workFolder(),
    onProgress: () => undefined,
    signal,
    now: () => new Date(0),
  });
  const verdict = await evaluateGate({
    store,
    gate: { ...lifecycle.gates[0]!, minimum: 0.6, minimumPerClass: 0.5 } as (typeof lifecycle.gates)[0],
    model,
    snapshot,
    workFolder: await workFolder(),
    signal,
    onProgress: () => undefined,
  });
  expect([verdict.status, verdict.reasons]).toEqual(['pass', [expect.any(String)]]);

  await store.fetchTree(snapshot, path.join(folder, 'snapshot'));
  await store.fetchTree(model, path.join(folder, 'model'));
  const { ids, inputs } = await readSplit(path.join(folder, 'snapshot'), 'test');
  const card = modelCardSchema.parse(
    JSON.parse(await readFile(path.join(folder, 'model/model-card.json'), 'utf8')),
  );
  const texts = new Map(
    bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly id: string; readonly text: string })
      .map(({ id, text }) => [id, text]),
  );
  const asked = ids.slice(0, 50).map((id) => texts.get(id)!);
  const body = { inputs: [{ name: 'text', datatype: 'BYTES', shape: [50], data: asked }] };
  expect(readInferenceRequest(card, revealsSchema.parse({}), body, 50).values).toEqual(
    inputs.slice(0, 50 * 1024),
  );
});
