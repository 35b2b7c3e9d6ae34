import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createSigningActivities } from '../../src/activities/index.js';
import type { RevisionOrder, SignModelInput } from '../../src/activities/sign.js';
import { snapshotManifestSchema } from '../../src/core/data/index.js';
import {
  type EvidenceHeader,
  encodeEvidence,
  policyDigest,
  runKey,
  withGate,
} from '../../src/core/evaluation/index.js';
import { runKeyDerivation } from '../../src/core/evaluation/run-key.js';
import { type Digest, gatesSchema, type Verdict } from '../../src/core/spec/index.js';
import { digestOf, digestOfJson, type Store } from '../../src/core/store/index.js';
import {
  createTrustPolicy,
  generateSigningKey,
  keyIdOf,
  readBom,
  readLog,
  readSigner,
  type SigningKey,
  type TrustPolicy,
} from '../../src/core/trust/index.js';
import { field, model as modelBytes } from '../core/onnx/scan/protobuf.js';
import { type SignedChain, signedChain, type TestModel } from '../gateway/signed-chain.js';
import { attempt } from './attempt.js';

let chain: SignedChain;
let model: TestModel;
let key: SigningKey;
beforeAll(async () => {
  chain = await signedChain();
  model = await chain.model(0);
  key = await generateSigningKey();
});
afterAll(() => chain.remove());

/** A signing worker with a key of its own on a store that others can write to. It believes who signed the model, too. */
async function signingWorker(store: Store = chain.store) {
  const signer = readSigner(key.privateKey);
  return createSigningActivities({ store, scratch: '', identity: 'signing', signer, trust: trusted() });
}

function trusted(): TrustPolicy {
  const own = createTrustPolicy([{ publicKey: key.publicKey }]);
  return { ...own, keys: [...own.keys, ...chain.policy.keys] };
}

const order = (changes: Partial<RevisionOrder> = {}): RevisionOrder => ({
  endpoint: 'samples',
  revision: 1,
  kind: 'release',
  model: model.model,
  chain: model.chain,
  previous: null,
  reason: 'a test',
  requestedBy: 'ada',
  ...changes,
});

describe('a signing worker', () => {
  it('signs what the evidence bears, and not the same verdict made up', async () => {
    const { input, verdict } = await failedGate();
    const worker = await signingWorker();
    const forged: Verdict = { ...verdict, status: 'pass', reasons: ['Trust me.'] };
    const before = await chain.store.referrers(model.model);
    expect(await attempt().run(() => worker.attestTests({ ...input, verdicts: [forged] }))).toMatchObject({
      kind: 'refused',
      code: 'verdict-forged',
    });
    expect(await chain.store.referrers(model.model)).toEqual(before);
    expect(await attempt().run(() => worker.attestTests({ ...input, verdicts: [verdict] }))).toMatchObject({
      kind: 'done',
    });
  });

  it('signs a revision once, whoever asks and however often', async () => {
    const worker = await signingWorker();
    const first = await attempt().run(() => worker.signRevision(order()));
    const again = await attempt().run(() => worker.signRevision(order()));
    expect(first).toMatchObject({ kind: 'done', cached: false });
    expect(again).toEqual({ ...first, cached: true });
    const other = await attempt().run(() => worker.signRevision(order({ reason: 'another' })));
    expect(other).toMatchObject({ kind: 'done', cached: false });
  });

  it('hands on no planted revision that says other things than were ordered', async () => {
    const planted = { ...order({ revision: 7 }), createdAt: '2026-01-01T00:00:00Z' };
    const release = await chain.release(model, 7);
    const signings = [order(), order({ revision: 7 })].map((each) =>
      digestOfJson({
        stage: 'sign-revision',
        version: 1,
        inputs: { keyId: keyIdOf(key.publicKey), ...each },
      }),
    );
    const store: Store = {
      ...chain.store,
      readOutcome: async (asked) =>
        signings.includes(asked) ? { release, record: planted } : chain.store.readOutcome(asked),
    };
    const worker = await signingWorker(store);
    expect(await attempt().run(() => worker.signRevision(order()))).toMatchObject({
      kind: 'refused',
      code: 'record-corrupt',
    });
    expect(await attempt().run(() => worker.signRevision(order({ revision: 7 })))).toMatchObject({
      kind: 'done',
      cached: true,
    });
  });

  it('signs a bill of materials once for a release that verifies, and none for one that does not', async () => {
    const worker = await signingWorker();
    const sign = async (changes: Partial<RevisionOrder>) => {
      const signed = await attempt().run(() => worker.signRevision(order(changes)));
      if (signed.kind !== 'done') throw new Error(signed.code);
      return signed.value;
    };
    const { release, record } = await sign({ reason: 'described' });
    expect(await sign({ reason: 'described' })).toEqual({ release, record });
    expect(await chain.store.referrers(release)).toHaveLength(1);
    expect((await readBom(chain.store, trusted(), release, new Date())).metadata).toMatchObject({
      timestamp: record.createdAt,
      component: { name: 'samples', version: 'samples/1' },
    });
    const broken = await sign({ chain: { ...model.chain, data: model.chain.signature } });
    expect(await chain.store.referrers(broken.release)).toEqual([]);
  });

  it('signs no model in which a scan finds an error, and nothing about it', async () => {
    const script = field(14, [field(1, 'note'), field(2, '#!/bin/sh')]);
    const unsafe = await chain.store.putBlob(modelBytes({ inModel: [script] }));
    const worker = await signingWorker();
    const before = await chain.store.referrers(model.model);
    const snapshot = { ...({} as SignModelInput['snapshot']), snapshot: digestOf('snapshot') };
    const result = await attempt().run(() =>
      worker.signModel({
        run: 'run',
        snapshot,
        data: {} as SignModelInput['data'],
        model: { model: model.model, onnx: unsafe } as SignModelInput['model'],
        training: {} as SignModelInput['training'],
      }),
    );
    expect(result).toMatchObject({ kind: 'refused', code: 'model-unsafe' });
    expect(await chain.store.referrers(model.model)).toEqual(before);
  });

  it('signs a rejection too, and the run is refused with the reason of the person', async () => {
    const worker = await signingWorker();
    const input = {
      decision: { decision: 'reject', by: 'ada', reason: 'zeros look wrong' },
      model: model.model,
      endpoint: 'samples',
      verification: model.chain.verification,
    } as const;
    const result = await attempt().run(() => worker.attestDecision(input));
    expect(result).toMatchObject({
      kind: 'refused',
      code: 'rejected',
      reasons: ['ada rejected the model: zeros look wrong'],
    });
    const [statement] = result.kind === 'refused' ? result.evidence : [];
    expect(await chain.store.hasBlob(statement!)).toBe(true);
    expect(await logged({ statement })).toMatchObject([
      { decision: 'rejected', by: 'ada', subject: model.model },
    ]);
  });

  it('has on record what is proposed before it can be published, once', async () => {
    const worker = await signingWorker();
    const sign = () =>
      attempt().run(() => worker.signRevision(order({ revision: 11, previous: digestOf('before') })));
    const [signed] = [await sign(), await sign()];
    if (signed.kind !== 'done') throw new Error(signed.code);
    const { release: statement } = signed.value;
    expect(await logged({ statement })).toMatchObject([
      { decision: 'proposed', endpoint: 'samples', revision: 11, by: 'ada', reason: 'a test' },
    ]);
  });

  it('puts a release on record once it is published, and not because somebody says so', async () => {
    const worker = await signingWorker();
    const signed = await attempt().run(() =>
      worker.signRevision(order({ revision: 12, previous: digestOf('before') })),
    );
    if (signed.kind !== 'done') throw new Error(signed.code);
    const log = () => attempt().run(() => worker.logRelease(signed.value));
    expect(await log()).toMatchObject({ kind: 'refused', code: 'not-found' });
    const { release: statement } = signed.value;
    await chain.store.moveRef('endpoints/samples', undefined, { release: statement, revision: 12 });
    expect([await log(), await log()]).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
    expect((await logged({ statement })).map(({ decision }) => decision)).toEqual(['proposed', 'released']);
  });
});

async function logged({ statement }: { readonly statement: Digest | undefined }) {
  const entries = await readLog(chain.store);
  return entries.map(({ entry }) => entry).filter((entry) => entry.statement === statement);
}

/** A gate that a model failed: a snapshot of 20 test rows, the evidence that every answer was wrong, and its verdict. */
async function failedGate() {
  const { store, folder } = chain;
  const [gate] = gatesSchema.parse([{ gate: 'accuracy', minimum: 0.5 }]);
  const classes = ['cat', 'dog'];
  const files = path.join(folder, '..', 'snapshot');
  await mkdir(files);
  const manifest = {
    version: 1,
    source: digestOf('source'),
    id: 'id',
    label: { column: 'animal', classes },
    features: [{ column: 'weight', type: 'number', minimum: 0, maximum: 1, scale: 'none' }],
    shape: [1],
    rows: { train: 0, validation: 0, test: 20 },
    classRows: { train: [0, 0], validation: [0, 0], test: [20, 0] },
    statistics: {},
  };
  await writeFile(path.join(files, 'snapshot.json'), JSON.stringify(snapshotManifestSchema.parse(manifest)));
  const about = { gate: gate!, model: model.model, snapshot: await store.putTree(files) };
  const header: EvidenceHeader = {
    version: 1,
    ...about,
    policy: policyDigest(gate!),
    runKey: { derivation: runKeyDerivation, value: runKey(about) },
    available: 20,
    classes,
    environment: {},
  };
  const rows = Array.from({ length: 20 }, (_, i) => ({
    id: `${i}`,
    label: 0,
    predicted: 1,
    correct: false,
  }));
  const evidence = await store.putBlob(encodeEvidence(header, rows));
  const verdict: Verdict = withGate(gate!, (own, spec) => ({
    ...own.decide(spec, { rows: rows.map((row) => own.rowSchema.parse(row)), classes }),
    evidence,
  }));
  return { input: { model: about.model, snapshot: about.snapshot, gates: [gate!] }, verdict };
}
