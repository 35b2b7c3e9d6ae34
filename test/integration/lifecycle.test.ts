import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AssayClient } from '../../src/cli/client.js';
import { readEndpointPointer } from '../../src/core/serving/index.js';
import { digestOf } from '../../src/core/store/index.js';
import {
  generateSigningKey,
  type RequestDraft,
  readSigner,
  readTrustPolicy,
  type Signer,
  signRequest,
  verifyLog,
  verifyRelease,
} from '../../src/core/trust/index.js';
import { type LifecycleOutcome, type Revision, stageNames } from '../../src/workflows/contract.js';
import { assayWith } from '../cli/assay.js';
import { buildPlant, type Plant, startCrew } from '../support/plant.js';
import { sharedTemporal } from '../support/temporal.js';
import { recordHistory, replay } from '../workflows/recorded-histories.js';
import { type DigitsChanges, writeDigits } from './digits-lifecycle.js';

/** A network that trains in well under a second, and gates that it passes. */
const quick: DigitsChanges = {
  training: {
    trainer: 'built-in',
    seed: 7,
    parameters: { network: { kind: 'mlp', hidden: [32] }, epochs: 12, learningRate: 0.003 },
  },
  gates: [
    { gate: 'accuracy', minimum: 0.9, minimumPerClass: 0.5 },
    {
      gate: 'evasion',
      norm: 'linf',
      epsilon: 0.02,
      minimum: 0.5,
      samples: 60,
      pgd: { steps: 10, restarts: 1 },
    },
  ],
};
const undertrained = { network: { kind: 'mlp', hidden: [32] }, epochs: 1, learningRate: 0.0001 };

describe('a run', () => {
  let plant: Plant;
  let ada: AssayClient;
  let folder: string;
  let first: LifecycleOutcome;
  const workflows = new Map<string, string>();
  const start = (changes: DigitsChanges) => plant.client.start(writeDigits(folder, changes));
  const run = async (name: string, changes: DigitsChanges) => {
    workflows.set(name, await start(changes));
    return plant.client.outcome(workflows.get(name)!);
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'assay-lifecycle-'));
    plant = await buildPlant(sharedTemporal().address);
    await startCrew(plant);
    ada = await plant.connectAs(plant.people.ada.signer);
    first = await run('lifecycle-released', quick);
  });
  afterAll(async () => {
    await ada?.close();
    await plant?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes from a file to a release that verifies and that the endpoint serves', async () => {
    expect(first).toMatchObject({ status: 'released', endpoint: 'digits', revision: 1 });
    if (first.status !== 'released') return;
    const trust = readTrustPolicy(readFileSync(plant.trustFile, 'utf8'));
    expect(await verifyRelease(plant.client.store, trust, first.release)).toMatchObject({ ok: true });
    expect(await plant.client.store.readRef('endpoints/digits')).toMatchObject({
      value: { release: first.release, revision: 1 },
    });
  });

  it('takes every stage from the cache the second time, with an equal outcome', async () => {
    const again = await start(quick);
    expect(await plant.client.outcome(again)).toEqual(first);
    const { stages } = await plant.client.progress(again);
    expect(stages.map(({ name, status }) => [name, status])).toEqual(
      stageNames.map((name) => [name, name === 'approve' ? 'skipped' : 'cached']),
    );
  });

  it('attacks a fine-tuned model through the file that it came from', async () => {
    const base = readFileSync(path.resolve(__dirname, '../core/attacks/fixtures/digits-cnn.onnx'));
    writeFileSync(path.join(folder, 'base.onnx'), base);
    const parameters = { network: { kind: 'onnx', file: 'base.onnx' }, epochs: 1, learningRate: 0.001 };
    const tuned = await start({
      ...quick,
      training: { ...quick.training, reproduce: false, parameters },
      release: { endpoint: 'tuned' },
    });
    const outcome = await plant.client.outcome(tuned);
    expect(outcome).toMatchObject({ status: 'released' });
    const verdict = outcome.verdicts.find(({ gate }) => gate === 'evasion')!;
    expect(Object.keys(verdict.figures)).toContain('robust accuracy after transfer');
    const evidence = new TextDecoder().decode(await plant.client.store.readBlob(verdict.evidence));
    expect(JSON.parse(evidence.split('\n')[0]!)).toMatchObject({ parent: digestOf(base) });
  });

  it('refuses bad rows, and its evidence names them', async () => {
    const label99 = (line: string) => line.replace(/\d+$/, '99');
    const outcome = await run('lifecycle-refused-data', {
      ...quick,
      rows: (lines) => lines.map((line, at) => (at === 5 || at === 9 ? label99(line) : line)),
    });
    expect(outcome).toMatchObject({ status: 'refused', stage: 'ingest', code: 'data-refused' });
    if (outcome.status !== 'refused') return;
    const report = JSON.parse(
      Buffer.from(await plant.client.store.readBlob(outcome.evidence[0]!)).toString(),
    ) as { readonly problems: readonly object[] };
    expect(report.problems).toHaveLength(2);
    expect(report.problems).toEqual([
      expect.objectContaining({ column: 'label', row: 5, value: '99' }),
      expect.objectContaining({ column: 'label', row: 9, value: '99' }),
    ]);
  });

  it('refuses a model that fails a gate, keeps the evidence and releases nothing', async () => {
    const before = await plant.client.endpoint('digits');
    const outcome = await run('lifecycle-refused-model', {
      ...quick,
      training: { ...quick.training, parameters: undertrained },
    });
    expect(outcome).toMatchObject({ status: 'refused', stage: 'evaluate', code: 'gate-failed' });
    expect(outcome.verdicts).toContainEqual(expect.objectContaining({ gate: 'accuracy', status: 'fail' }));
    if (outcome.status !== 'refused') return;
    for (const evidence of outcome.evidence) expect(await plant.client.store.hasBlob(evidence)).toBe(true);
    expect(outcome.evidence.length).toBeGreaterThan(0);
    expect(await plant.client.endpoint('digits')).toEqual(before);
  });

  it('waits for a person, and refuses when the person rejects', async () => {
    const before = await plant.client.endpoint('digits');
    const rejected = await start({ ...quick, release: { approval: 'required' } });
    await waitForPerson(rejected);
    await expect(ada.decide(rejected, { decision: 'reject', reason: ' ' })).rejects.toMatchObject({
      code: 'statement-invalid',
    });
    const { people } = plant;
    const draft = await plant.client.draftDecision(rejected, { decision: 'approve', reason: 'fine' });
    const stranger = readSigner((await generateSigningKey()).privateKey);
    const changed = (await signed(people.ada.signer, draft)).replace('"payload":"', '"payload":"AAAA');
    const yesterday = new Date(Date.now() - 24 * 3_600_000);
    for (const [request, code] of [
      [await signed(people.mallory.signer, draft), 'role-missing'],
      [await signed(people.tester.signer, draft), 'duties-not-separate'],
      [await signed(stranger, draft), 'key-unknown'],
      [await signed(people.ada.signer, { ...draft, run: 'another' }), 'request-mismatch'],
      [await signed(people.ada.signer, { ...draft, endpoint: 'letters' }), 'request-mismatch'],
      [await signed(people.ada.signer, { ...draft, subject: digestOf('other') }), 'request-mismatch'],
      [await signed(people.ada.signer, draft, yesterday), 'request-expired'],
      [changed, 'signature-invalid'],
      ['{}', 'bundle-invalid'],
    ] as const) {
      const sent = plant.client.send(rejected, 'decide', { signed: request });
      await expect(sent).rejects.toMatchObject({ code });
    }
    // The name of who may is no more than a name.
    const nobody = await plant.connectAs();
    await expect(nobody.decide(rejected, { decision: 'approve', reason: 'x' })).rejects.toMatchObject({
      code: 'request-unsigned',
    });
    await nobody.close();
    await ada.decide(rejected, { decision: 'reject', reason: 'not this week' });
    expect(await plant.client.outcome(rejected)).toMatchObject({
      status: 'refused',
      stage: 'approve',
      code: 'rejected',
      reasons: [expect.stringContaining('not this week')],
    });
    expect(await plant.client.endpoint('digits')).toEqual(before);
  });

  it('releases what a person approves, and rolls back on request', async () => {
    const approved = await start({
      ...quick,
      training: { ...quick.training, seed: 8 },
      release: { approval: 'required' },
    });
    workflows.set('lifecycle-approved', approved).set('endpoint-rolled-back', 'endpoint-digits');
    await waitForPerson(approved);
    await ada.decide(approved, { decision: 'approve', reason: 'figures look right' });
    const second = await plant.client.outcome(approved);
    expect(second).toMatchObject({ status: 'released', revision: 2 });

    const restored = await plant.client.rollback('digits', { reason: 'drill' });
    expect(restored.record).toMatchObject({
      revision: 3,
      kind: 'rollback',
      restores: 1,
      requestedBy: 'tester',
    });
    expect(restored.record.model).toBe(first.status === 'released' && first.model);
    expect(await plant.client.store.readRef('endpoints/digits')).toMatchObject({
      value: { release: restored.release, revision: 3 },
    });
  });

  it('is frozen by who may or by anybody, and let go by who may, once a request', async () => {
    const { client, people } = plant;
    const freeze = { action: 'freeze', endpoint: 'digits', reason: 'audit' } as const;
    const request = { signed: await signed(people.tester.signer, freeze) };
    await client.send('digits', 'freeze', request);
    expect((await client.endpoint('digits')).frozen).toMatchObject({ by: 'tester', reason: 'audit' });
    const nobody = await plant.connectAs();
    await expect(nobody.unfreeze('digits', 'x')).rejects.toMatchObject({ code: 'request-unsigned' });
    await client.unfreeze('digits', 'over');
    await expect(client.send('digits', 'freeze', request)).rejects.toMatchObject({
      code: 'request-replayed',
    });
    expect((await client.endpoint('digits')).frozen).toBeUndefined();
    await nobody.freeze('digits', 'from the UI');
    expect((await client.endpoint('digits')).frozen?.by).toBe('unauthenticated (an unsigned client)');
    await client.unfreeze('digits', 'over again');
    const start = plant.temporal.workflow.getHandle('endpoint-digits');
    const { model, chain } = (await client.endpoint('digits')).live!.record;
    const proposal = { model, chain, reason: 'x', requestedBy: 'tester' };
    await expect(start.executeUpdate('propose', { args: [proposal] })).rejects.toMatchObject({
      cause: { type: 'release-unverified' },
    });
    await nobody.close();
  });

  it('has every decision on record, and nothing published that is not', async () => {
    const trust = readTrustPolicy(readFileSync(plant.trustFile, 'utf8'));
    const published = [];
    for await (const { value } of plant.client.store.refHistory('endpoints/digits'))
      published.push({ endpoint: 'digits', ...readEndpointPointer('digits', value) });
    const { entries, failures } = await verifyLog(plant.client.store, trust, { published });
    expect(failures).toEqual([]);
    const decided = entries.filter(
      ({ entry }) =>
        entry.endpoint === 'digits' && entry.decision !== 'requested' && entry.decision !== 'refused',
    );
    const refusals = entries.filter(({ entry }) => entry.decision === 'refused');
    expect(refusals.map(({ entry }) => entry.reason.split(': ')[1])).toEqual([
      ...['role-missing', 'duties-not-separate', 'key-unknown', 'request-mismatch', 'request-mismatch'],
      ...['request-mismatch', 'request-expired', 'signature-invalid', 'bundle-invalid', 'request-unsigned'],
      ...['request-unsigned', 'request-replayed', 'release-unverified'],
    ]);
    expect(decided.map(({ entry }) => [entry.decision, entry.revision, entry.by])).toEqual([
      ['proposed', 1, 'tester'],
      ['released', 1, 'tester'],
      ['rejected', undefined, 'ada'],
      ['approved', undefined, 'ada'],
      ['proposed', 2, 'tester'],
      ['released', 2, 'tester'],
      ['proposed', 3, 'tester'],
      ['rolled-back', 3, 'tester'],
      ['frozen', undefined, 'tester'],
      ['unfrozen', undefined, 'tester'],
      ['frozen', undefined, 'unauthenticated (an unsigned client)'],
      ['unfrozen', undefined, 'tester'],
    ]);
  });

  it("leaves histories that today's workflow code replays", async () => {
    expect(workflows.size).toBe(5);
    for (const [name, workflow] of workflows)
      await replay(await recordHistory(plant.temporal, workflow, name));
  });

  it('goes as the guide shows it, between two people with two keys', async () => {
    const guide = readFileSync(path.resolve(__dirname, '../../docs/trust.md'), 'utf8');
    const [section] = /^## Two people[\s\S]*?(?=^## )/m.exec(guide)!;
    const shown = [...section.matchAll(/^ {4}assay ([^#\n]+?) *(?:# refused: ([\w-]+))?$/gm)];
    expect(shown).toHaveLength(12);
    const keys = path.join(folder, '.assay', 'keys');
    mkdirSync(keys, { recursive: true });
    copyFileSync(plant.people.tester.keyFile, path.join(keys, 'signing.pem'));
    copyFileSync(plant.trustFile, path.join(folder, '.assay', 'trust.yaml'));
    const env = {
      ASSAY_STORE: plant.storeUrl,
      TEMPORAL_ADDRESS: sharedTemporal().address,
      TEMPORAL_NAMESPACE: plant.namespace,
    };
    const seed8 = { ...quick.training, seed: 8 };
    writeDigits(folder, { ...quick, training: seed8, release: { approval: 'required' } });
    let waiting = '';
    for (const [, command, code] of shown) {
      const words = command!.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));
      const given = words.map((word) => word.replace('$RUN', waiting));
      const { exit, stdout, stderr } = await assayWith(env, folder, ...given);
      expect([given, exit, stderr]).toEqual([given, code ? 3 : 0, expect.stringContaining(code ?? '')]);
      if (given[0] === 'run') {
        waiting = /Run (\S+)/.exec(stdout)![1]!;
        await waitForPerson(waiting);
      }
      if (given[0] === 'approve' && !code)
        expect(await plant.client.outcome(waiting)).toMatchObject({ status: 'released', revision: 4 });
      if (given[0] === 'sign-request') {
        const { record } = (await plant.client.send('digits', 'rollback', JSON.parse(stdout))) as Revision;
        expect(record).toMatchObject({ revision: 5, requestedBy: 'tester' });
      }
    }
  });

  const signed = (signer: Signer, draft: RequestDraft, now = new Date()) =>
    signRequest(signer, draft, { now, lifetimeMs: 60_000, nonce: randomBytes(16).toString('hex') });

  async function waitForPerson(waiting: string): Promise<void> {
    for (;;) {
      const { stages } = await plant.client.progress(waiting);
      if (stages.some(({ name, status }) => name === 'approve' && status === 'running')) return;
      if (!(await plant.client.isRunning(waiting))) throw new Error(`${waiting} ended and asked nobody`);
      await sleep(100);
    }
  }
});
