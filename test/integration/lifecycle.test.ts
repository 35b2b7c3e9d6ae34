import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readTrustPolicy, verifyRelease } from '../../src/core/trust/index.js';
import { buildPlant, type Plant, startCrew } from '../support/plant.js';
import { sharedTemporal } from '../support/temporal.js';

jest.setTimeout(120_000);
const example = path.resolve(__dirname, '../../examples/digits');

/** A small, fast variant of the shipped example: same data, a plain network, fewer attacked samples. */
function writeLifecycle(folder: string, change: (text: string) => string = (text) => text): string {
  const text = readFileSync(path.join(example, 'lifecycle.yaml'), 'utf8')
    .replace(/network: .*/, 'network: { kind: mlp, hidden: [32] }')
    .replace(/epochs: .*/, 'epochs: 12')
    .replace(/ *adversarial: .*\n/, '')
    .replace(/epsilon: 0.1\n {4}minimum: .*/, 'epsilon: 0.02\n    minimum: 0.5')
    .replace(/minimumPerClass: .*/, 'minimumPerClass: 0.5')
    .replace(/samples: 1000/, 'samples: 100')
    .replace('minimum: 0.93', 'minimum: 0.9');
  const file = path.join(folder, 'lifecycle.yaml');
  writeFileSync(file, change(text));
  cpSync(path.join(example, 'digits.csv'), path.join(folder, 'digits.csv'));
  return file;
}

describe('a run', () => {
  let plant: Plant;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-lifecycle-'));
    plant = await buildPlant(sharedTemporal().address);
    await startCrew(plant);
  });
  afterAll(async () => {
    await plant.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes from a file to a verified release, and again from the cache', async () => {
    const file = writeLifecycle(folder);
    const first = await plant.client.outcome(await plant.client.start(file, 'tester'));
    expect(first).toMatchObject({ status: 'released', endpoint: 'digits', revision: 1 });
    if (first.status !== 'released') return;

    const trust = readTrustPolicy(readFileSync(plant.trustFile, 'utf8'));
    expect(await verifyRelease(plant.client.store, trust, first.release)).toMatchObject({ ok: true });
    expect(await plant.client.store.readRef('endpoints/digits')).toMatchObject({
      value: { release: first.release, revision: 1 },
    });

    const again = await plant.client.start(file, 'tester');
    expect(await plant.client.outcome(again)).toEqual(first);
    const { stages } = await plant.client.progress(again);
    expect(
      stages.filter(({ status }) => status !== 'skipped').map(({ name, status }) => [name, status]),
    ).toEqual(
      ['ingest', 'train', 'reproduce', 'sign', 'evaluate', 'attest', 'release'].map((name) => [
        name,
        'cached',
      ]),
    );
  });

  it('refuses bad rows and names them', async () => {
    const file = writeLifecycle(folder);
    const csv = readFileSync(path.join(folder, 'digits.csv'), 'utf8').split('\n');
    csv[5] = csv[5]!.replace(/,\d+$/, ',99');
    writeFileSync(path.join(folder, 'digits.csv'), csv.join('\n'));
    const outcome = await plant.client.outcome(await plant.client.start(file, 'tester'));
    expect(outcome).toMatchObject({ status: 'refused', stage: 'ingest', code: 'data-refused' });
    if (outcome.status !== 'refused') return;
    const report = Buffer.from(await plant.client.store.readBlob(outcome.evidence[0]!)).toString();
    expect(report).toContain('99');
  });

  it('refuses a model that fails its gate, and releases nothing', async () => {
    const before = await plant.client.endpoint('digits');
    const file = writeLifecycle(folder, (text) =>
      text.replace(/epochs: .*/, 'epochs: 1').replace('learningRate: 0.003', 'learningRate: 0.0001'),
    );
    const outcome = await plant.client.outcome(await plant.client.start(file, 'tester'));
    expect(outcome).toMatchObject({ status: 'refused', stage: 'evaluate', code: 'gate-failed' });
    expect(await plant.client.endpoint('digits')).toEqual(before);
  });

  it('waits for a person where the lifecycle asks for one, then rolls back on request', async () => {
    const file = writeLifecycle(folder, (text) =>
      text
        .replace('seed: 7\n  parameters', 'seed: 8\n  parameters')
        .replace('endpoint: digits', 'endpoint: digits\n  approval: required'),
    );
    const run = await plant.client.start(file, 'tester');
    await waitFor(async () => {
      const { stages } = await plant.client.progress(run);
      return stages.find(({ name }) => name === 'approve')?.detail?.includes('waits for a person') ?? false;
    });
    await plant.client.decide(run, { decision: 'approve', by: 'ada', reason: 'figures look right' });
    const second = await plant.client.outcome(run);
    expect(second).toMatchObject({ status: 'released', revision: 2 });

    const restored = await plant.client.rollback('digits', { reason: 'drill', requestedBy: 'ada' });
    expect(restored.record).toMatchObject({ revision: 3, kind: 'rollback', restores: 1 });
    const { history } = await plant.client.endpoint('digits');
    expect(restored.record.model).toBe(history.at(-1)!.record.model);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 200));
}
