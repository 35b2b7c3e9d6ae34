import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ingest } from '../../../src/core/data/index.js';
import { evasionRowSchema, isRobust } from '../../../src/core/evaluation/evasion-row.js';
import { decodeEvidence, evaluateGate } from '../../../src/core/evaluation/index.js';
import { openSession } from '../../../src/core/onnx/index.js';
import { type GateSpec, parseLifecycle } from '../../../src/core/spec/index.js';
import { openStore, type Store } from '../../../src/core/store/index.js';
import { train } from '../../../src/core/training/index.js';

const example = path.resolve(__dirname, '../../../examples/phishing');
/** Traffic and age, which no phisher sets. */
const IMMUTABLE = [5, 7];
/** What either category, or the flags at the end, can be. */
const VALUES = Array.from({ length: 9 }, (_, i) => (i < 7 ? [0, 0.5, 1] : [0, 1]));

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'phishing-'));
  store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let works = 0;
async function workFolder(): Promise<string> {
  const work = path.join(folder, `work-${works++}`);
  await mkdir(work);
  return work;
}
const signal = new AbortController().signal;

it('the evasion gate of the phishing example leaves standing what trying every site leaves', async () => {
  const lifecycle = parseLifecycle(await readFile(path.join(example, 'lifecycle.yaml')), 'lifecycle.yaml');
  const csv = await readFile(path.join(example, 'phishing.csv'), 'utf8');
  const source = await store.putBlob(Buffer.from(csv));
  const result = await ingest({ store, source, data: lifecycle.data, workFolder: await workFolder() });
  if (result.kind !== 'accepted') throw new Error(result.summary.join('\n'));
  const { snapshot } = result.record;
  const { model, onnx } = await train({
    store,
    snapshot,
    name: 'phishing',
    training: lifecycle.training,
    workFolder: await workFolder(),
    onProgress: () => undefined,
    signal,
    now: () => new Date(0),
  });
  const evaluate = async (gate: GateSpec) =>
    evaluateGate({
      store,
      gate,
      model,
      snapshot,
      workFolder: await workFolder(),
      signal,
      onProgress: () => undefined,
    });
  const [accuracy, evasion] = lifecycle.gates as [GateSpec, GateSpec & { gate: 'evasion' }];
  expect(await evaluate(accuracy)).toMatchObject({ status: 'pass' });

  // A shorter suite on fewer sites, and two steps, so that there is more to choose from.
  const apgd = { steps: 30, restarts: 1 };
  const two: GateSpec = { ...evasion, epsilon: 1, samples: 60, minimum: 0, apgd, square: { queries: 50 } };
  const verdict = await evaluate(two);
  expect([verdict.status, verdict.reasons]).toEqual(['pass', [expect.stringContaining('Robust accuracy')]]);
  const { rows } = decodeEvidence(await store.readBlob(verdict.evidence), evasionRowSchema);
  const sites = new Map(
    csv
      .trim()
      .split('\n')
      .map((line) => [line.split(',')[0]!, line.split(',').slice(1, -1).map(Number)]),
  );
  const session = await openSession(await store.readBlob(onnx), { place: 'inline' });
  const predictions = async (inputs: readonly (readonly number[])[]): Promise<readonly number[]> => {
    const data = Float32Array.from(inputs.flat());
    const dims = [inputs.length, 9];
    const answer = (await session.run({ [session.inputNames[0]!]: { type: 'float', dims, data } }))[
      session.outputNames[0]!
    ]!.data as Float32Array;
    return inputs.map((_, i) => (answer[2 * i + 1]! > answer[2 * i]! ? 1 : 0));
  };
  for (const row of rows) {
    const site = sites.get(row.id)!;
    const reachable = neighbours(site, 1);
    const wrong = (await predictions(reachable)).some((prediction) => prediction !== row.label);
    expect([row.id, isRobust(row)]).toEqual([row.id, !wrong]);
  }
  expect(rows.filter(isRobust).length).toBeGreaterThan(5);
  // What only this search finds, rounded gradients do not.
  expect(rows.some(({ attacks }) => attacks?.coordinate?.broken)).toBe(true);
  await session.close();
});

/** Every site within a sum of differences, the site itself among them. */
function neighbours(site: readonly number[], budget: number, from = 0): readonly (readonly number[])[] {
  if (from === site.length) return [site];
  const choices = IMMUTABLE.includes(from) ? [site[from]!] : VALUES[from]!;
  return choices.flatMap((value) => {
    const cost = Math.abs(value - site[from]!);
    return cost > budget ? [] : neighbours(site.with(from, value), budget - cost, from + 1);
  });
}
