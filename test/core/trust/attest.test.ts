import type { Verdict } from '../../../src/core/spec/index.js';
import { digestOf, digestOfJson } from '../../../src/core/store/index.js';
import {
  attestModel,
  attestVerdicts,
  attestVerification,
  readStatement,
} from '../../../src/core/trust/index.js';
import {
  buildChain,
  builder,
  type ChainFixture,
  decideAgain,
  endpoint,
  gates,
  modelFiles,
  now,
  removeChain,
  training,
  verdictOf,
} from './chain-fixture.js';

let honest: ChainFixture;
beforeAll(async () => {
  honest = await buildChain();
});
afterAll(() => removeChain(honest));

describe('signing verdicts', () => {
  const attest = (verdicts: readonly Verdict[]) =>
    attestVerdicts(honest.store, honest.signers.test, gates, verdicts, honest, decideAgain(honest.store));

  it('refuses a verdict that its evidence does not bear, and signs none of them', async () => {
    const failed = await verdictOf(honest.store, gates[1]!, {
      status: 'fail',
      estimate: 0.1,
      interval: [0, 0.2],
    });
    const forged: Verdict = { ...failed, status: 'pass', estimate: 0.9, interval: [0.8, 1] };
    const before = await honest.store.referrers(honest.model);
    await expect(attest([await verdictOf(honest.store, gates[0]!), forged])).rejects.toMatchObject({
      code: 'verdict-forged',
    });
    expect(await honest.store.referrers(honest.model)).toEqual(before);
  });

  it('refuses to leave a gate out, or to add one', async () => {
    const [accuracy, evasion] = await Promise.all(gates.map((gate) => verdictOf(honest.store, gate)));
    await expect(attest([accuracy!])).rejects.toMatchObject({ code: 'inputs-mismatch' });
    await expect(attest([accuracy!, evasion!, accuracy!])).rejects.toMatchObject({ code: 'inputs-mismatch' });
    await expect(attest([accuracy!, accuracy!])).rejects.toMatchObject({ code: 'inputs-mismatch' });
  });

  it.each([
    ['fail', 'FAILED'],
    ['inconclusive', 'WARNED'],
  ] as const)('signs an honest %s as %s', async (status, result) => {
    const verdicts = await Promise.all(gates.map((gate) => verdictOf(honest.store, gate, { status })));
    const [first] = await attest(verdicts);
    const statement = readStatement(await honest.store.readBlob(first!), honest.policy, now);
    expect(statement.predicate).toMatchObject({ result });
  });
});

describe('signing a model', () => {
  const run = { training, builder, invocation: 'run-1' };
  const record = (changes: object = {}) => ({
    model: honest.model,
    onnx: digestOf(modelFiles(honest.snapshot)['model.onnx']!),
    snapshot: honest.snapshot,
    environment: digestOf('environment'),
    metrics: {},
    trainer: 'built-in',
    seed: training.seed,
    parameters: digestOfJson(training.parameters),
    startedAt: now.toISOString(),
    finishedAt: now.toISOString(),
    ...changes,
  });

  it.each<[string, object]>([
    ['another snapshot than its card', { snapshot: digestOf('other') }],
    ['another seed than its card', { seed: 8 }],
    ['other parameters than the training block', { parameters: digestOf('other') }],
    ['another model.onnx than the folder holds', { onnx: digestOf('other') }],
  ])('refuses a record that names %s', async (_, changes) => {
    await expect(attestModel(honest.store, honest.signers.model, record(changes), run)).rejects.toMatchObject(
      { code: 'inputs-mismatch' },
    );
  });

  it('refuses a folder without a card', async () => {
    await expect(
      attestModel(honest.store, honest.signers.model, record({ model: honest.snapshot }), run),
    ).rejects.toMatchObject({ code: 'inputs-mismatch' });
  });
});

describe('signing a summary', () => {
  it('refuses evidence that does not hold, and names every broken link', async () => {
    const { store, signers, policy, model, chain } = honest;
    const evidence = {
      endpoint,
      model,
      chain: { ...chain, data: chain.provenance, tests: [chain.tests[0]!] },
    };
    await expect(
      attestVerification(store, signers.verification, policy, evidence, builder, now),
    ).rejects.toMatchObject({
      code: 'chain-unverified',
      details: [
        expect.stringMatching(/^data: statement-type: /),
        expect.stringMatching(/^tests: gate-missing: .*trust policy/),
        expect.stringMatching(/^tests: gate-missing: .*result of gate evasion/),
      ],
    });
  });
});
