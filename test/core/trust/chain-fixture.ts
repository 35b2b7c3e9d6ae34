import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import {
  type Chain,
  type DataSpec,
  type Digest,
  dataSchema,
  type GateSpec,
  gateName,
  gatesSchema,
  type ModelCard,
  type ReleaseRecord,
  trainingSchema,
  type Verdict,
  verdictSchema,
} from '../../../src/core/spec/index.js';
import {
  canonicalJson,
  digestOf,
  digestOfJson,
  openStore,
  type Store,
} from '../../../src/core/store/index.js';
import { attest } from '../../../src/core/trust/attest.js';
import {
  attestData,
  attestModel,
  attestVerdicts,
  attestVerification,
  createTrustPolicy,
  type DecideAgain,
  generateSigningKey,
  readSigner,
  type Signer,
  type StatementRole,
  signRelease,
  statementRoles,
  type TrustPolicy,
} from '../../../src/core/trust/index.js';
import { inputsOf } from '../../../src/core/trust/links/verification-summary.js';
import { digestSetOf } from '../../../src/core/trust/statements/predicate.js';
import {
  gatesPassedLevel,
  gatesWaivedLevel,
  verificationPredicate,
} from '../../../src/core/trust/statements/verification-summary.js';

export const now = new Date('2026-01-02T03:04:05.000Z');
export const endpoint = 'digits';
export const testRows = 200;
export const builder = 'https://assay.dev/worker/v1';

export const checks: DataSpec = dataSchema.parse({
  source: 'digits.csv',
  id: 'id',
  label: { column: 'label', classes: ['zero', 'one'] },
  features: [{ columns: ['a', 'b'], type: 'number', minimum: 0, maximum: 1 }],
});
export const training = trainingSchema.parse({
  trainer: 'built-in',
  parameters: { network: { kind: 'linear' }, epochs: 1 },
  seed: 7,
});
export const gates: readonly GateSpec[] = gatesSchema.parse([
  { gate: 'accuracy', minimum: 0.8 },
  { gate: 'evasion', norm: 'linf', epsilon: 0.1, minimum: 0.5, samples: 100 },
]);

/** One key a role, so that a key used out of its role shows. */
export interface Trust {
  readonly signers: Readonly<Record<StatementRole, Signer>>;
  readonly policy: TrustPolicy;
}

export interface ChainFixture extends Trust {
  readonly folder: string;
  readonly store: Store;
  readonly snapshot: Digest;
  readonly model: Digest;
  readonly chain: Chain;
  readonly record: ReleaseRecord;
  readonly release: Digest;
}

export async function makeTrust(): Promise<Trust> {
  const keys = await Promise.all(
    statementRoles.map(async (role) => ({ role, ...(await generateSigningKey()) })),
  );
  return {
    signers: Object.fromEntries(keys.map(({ role, privateKey }) => [role, readSigner(privateKey)])) as Record<
      StatementRole,
      Signer
    >,
    policy: createTrustPolicy(
      keys.map(({ role, publicKey }) => ({ publicKey, roles: [role] })),
      { [endpoint]: { gates: [...gates] } },
    ),
  };
}

export function cardFor(snapshot: Digest): ModelCard {
  return {
    version: 1,
    name: 'digits',
    input: { name: 'x', shape: [2], minimum: [0, 0], maximum: [1, 1], columns: ['a', 'b'] },
    output: { name: 'logits', classes: ['zero', 'one'] },
    snapshot,
    training: {
      trainer: 'built-in',
      seed: training.seed,
      parameters: z.record(z.string(), z.json()).parse(training.parameters),
    },
  };
}

export async function putFiles(
  fixture: Pick<ChainFixture, 'folder' | 'store'>,
  files: Readonly<Record<string, string>>,
): Promise<Digest> {
  const folder = await mkdtemp(path.join(fixture.folder, 'files-'));
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  return fixture.store.putTree(folder);
}

export function modelFiles(snapshot: Digest): Record<string, string> {
  return {
    'model.onnx': 'not really a graph: trust never looks inside',
    'model-card.json': canonicalJson(cardFor(snapshot)),
    'metrics.json': '{"accuracy":0.9}',
  };
}

/** A verdict and, as its evidence, what {@link decideAgain} will decide. */
export async function verdictOf(
  store: Store,
  gate: GateSpec,
  changes: Partial<Verdict> = {},
): Promise<Verdict> {
  const decided = {
    gate: gateName(gate),
    kind: gate.gate,
    status: 'pass',
    metric: 'accuracy',
    estimate: 0.97,
    interval: [0.93, 0.99],
    confidence: gate.confidence,
    n: testRows,
    threshold: gate.gate === 'extraction' ? gate.maximum : gate.minimum,
    ...(gate.gate === 'extraction' && { bound: 'maximum' }),
    reasons: ['The whole interval lies above the minimum.'],
    figures: {},
    ...changes,
  };
  const evidence = await store.putBlob(Buffer.from(canonicalJson(decided)));
  return verdictSchema.parse({ ...decided, evidence });
}

export function decideAgain(store: Store): DecideAgain {
  return async (_gate, { evidence }) =>
    verdictSchema.parse({ ...JSON.parse(Buffer.from(await store.readBlob(evidence)).toString()), evidence });
}

async function makePlace(): Promise<Pick<ChainFixture, 'folder' | 'store'>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assay-trust-'));
  await mkdir(path.join(folder, 'store'));
  return { folder, store: await openStore(pathToFileURL(path.join(folder, 'store')).href) };
}

/** Everything from snapshot to a signed release, made by the functions that the activities call. */
export async function buildChain({
  rows = 'rows',
  trust: given,
  place,
}: {
  readonly rows?: string;
  readonly trust?: Trust;
  readonly place?: Pick<ChainFixture, 'folder' | 'store'>;
} = {}): Promise<ChainFixture> {
  const base = place ?? (await makePlace());
  const { store } = base;
  const trust = given ?? (await makeTrust());
  const { signers, policy } = trust;

  const snapshot = await putFiles(base, { 'test.parquet': rows });
  const snapshotRecord = {
    snapshot,
    source: digestOf('digits.csv'),
    rows: { train: 700, validation: 100, test: testRows },
    classes: 2,
    features: 2,
  };
  const model = await putFiles(base, modelFiles(snapshot));
  const modelRecord = {
    model,
    onnx: digestOf(modelFiles(snapshot)['model.onnx']!),
    snapshot,
    environment: digestOf('environment'),
    metrics: { accuracy: 0.9 },
    trainer: 'built-in',
    seed: training.seed,
    parameters: digestOfJson(training.parameters),
    startedAt: now.toISOString(),
    finishedAt: now.toISOString(),
  };
  const data = await attestData(store, signers.data, snapshotRecord, checks, now);
  // The signing worker uses one key for both; here each statement has its own.
  const run = { training, builder, invocation: 'run-1' };
  const { signature } = await attestModel(store, signers.model, modelRecord, run);
  const { provenance } = await attestModel(store, signers.provenance, modelRecord, run);
  const verdicts = await Promise.all(gates.map((gate) => verdictOf(store, gate)));
  const tests = await attestVerdicts(
    store,
    signers.test,
    gates,
    verdicts,
    { model, snapshot },
    decideAgain(store),
  );
  const evidence = { endpoint, model, chain: { data, signature, provenance, tests: [...tests] } };
  const verification = await attestVerification(store, signers.verification, policy, evidence, builder, now);
  const chain: Chain = { ...evidence.chain, verification };
  const record: ReleaseRecord = {
    endpoint,
    revision: 1,
    kind: 'release',
    model,
    chain,
    previous: null,
    reason: 'first',
    requestedBy: 'ada',
    createdAt: now.toISOString(),
  };
  const release = await signRelease(store, signers.release, record);
  return { ...trust, ...base, snapshot, model, chain, record, release };
}

export async function removeChain(fixture: ChainFixture): Promise<void> {
  await rm(fixture.folder, { recursive: true, force: true });
}

/**
 * What an attacker with access to the store *and* to the verification and release keys would do: put other statements
 * into the chain, sum them up without looking, and release. What is then refused is refused by the link under attack.
 */
export async function releaseWith(
  fixture: ChainFixture,
  changes: {
    readonly model?: Digest;
    readonly chain?: Partial<Chain>;
    readonly gates?: readonly GateSpec[];
    readonly record?: Partial<ReleaseRecord>;
  },
): Promise<Digest> {
  const { store, signers } = fixture;
  const model = changes.model ?? fixture.model;
  const evidence = { ...fixture.chain, ...changes.chain };
  const resource = (digest: Digest) => ({ uri: `urn:${digest}`, digest: digestSetOf(digest) });
  const verification =
    changes.chain?.verification ??
    (await attest(store, signers.verification, verificationPredicate, 'model', model, {
      verifier: { id: builder },
      timeVerified: now.toISOString(),
      resourceUri: `urn:${model}`,
      policy: resource(digestOfJson(changes.gates ?? gates)),
      inputAttestations: inputsOf(evidence).map(resource),
      verificationResult: 'PASSED',
      verifiedLevels: [evidence.waivers ? gatesWaivedLevel : gatesPassedLevel],
    }));
  const chain = { ...evidence, verification };
  return signRelease(store, signers.release, { ...fixture.record, model, chain, ...changes.record });
}
