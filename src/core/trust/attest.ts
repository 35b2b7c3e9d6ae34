import { RefusedError } from '../errors/index.js';
import { fineTunedFrom, type GateInputs } from '../evaluation/index.js';
import {
  attacksThroughParent,
  type DataSpec,
  type Digest,
  type GateSpec,
  gateName,
  type ModelCard,
  type ModelRecord,
  modelCardSchema,
  type ReleaseRecord,
  type SnapshotRecord,
  type TrainingSpec,
  type Verdict,
} from '../spec/index.js';
import { canonicalJson, digestOfJson, type Store } from '../store/index.js';
import { signModel } from './model-signature.js';
import type { Signer } from './signers/signer.js';
import { signStatement } from './statement.js';
import { type Approval, approvalPredicate } from './statements/approval.js';
import { dataPredicate } from './statements/data.js';
import { descriptorOf, type PredicateType } from './statements/predicate.js';
import { provenancePredicate, trainingBuildType } from './statements/provenance.js';
import { releasePredicate } from './statements/release.js';
import { resultOfStatus, testResultPredicate } from './statements/test-result.js';
import { type Waiver, waiverPredicate } from './statements/waiver.js';
import { parseStrictJson } from './strict-json.js';

/*
 * Each function signs, stores the bundle, files it under its subject and returns the bundle's digest. Signing twice is
 * harmless but gives two digests, since ECDSA is randomised: callers memoise through `store.recordOutcome`.
 */

/** Signs that a snapshot came from its source and passed the checks of its data block. */
export async function attestData(
  store: Store,
  signer: Signer,
  record: SnapshotRecord,
  checks: DataSpec,
  now: Date,
): Promise<Digest> {
  const envelope = await attest(store, signer, dataPredicate, 'snapshot', record.snapshot, {
    source: record.source,
    rows: record.rows,
    classes: checks.label.classes,
    checks,
    ...(record.account && { account: record.account }),
    attestedAt: now.toISOString(),
  });
  // Filed under what the snapshot was made of, too, so that its heirs are found from there.
  for (const origin of [record.source, ...Object.values(record.account?.files ?? {})])
    await store.attach(origin, envelope);
  return envelope;
}

/** Where and how a model was trained. */
export interface TrainingRun {
  readonly training: TrainingSpec;
  /** URI of whoever ran it, whose word this is. */
  readonly builder: string;
  /** What the builder calls this run. */
  readonly invocation: string;
  /** Tree of the trainer's files, when it has some: a program's, or the model that is fine-tuned. */
  readonly program?: Digest;
}

/**
 * Signs a model folder (OpenSSF Model Signing) and how it came to be (SLSA provenance).
 *
 * @throws RefusedError `inputs-mismatch` when the record, the training block and the model card disagree, or the file that
 * the model was fine-tuned from is missing
 */
export async function attestModel(
  store: Store,
  signer: Signer,
  record: ModelRecord,
  run: TrainingRun,
): Promise<{ readonly signature: Digest; readonly provenance: Digest }> {
  const files = await store.readTree(record.model);
  const cardFile = files.find(({ path }) => path === 'model-card.json');
  if (!cardFile) {
    throw new RefusedError('inputs-mismatch', `expected model-card.json in ${record.model}, got none`);
  }
  const card = readCard(await store.readBlob(cardFile.digest));
  requireEqual('snapshot of the model card', record.snapshot, card.snapshot);
  requireEqual('seed of the model card', record.seed, card.training.seed);
  requireEqual('seed of the training block', record.seed, run.training.seed);
  requireEqual('parameters of the training block', record.parameters, digestOfJson(run.training.parameters));
  requireEqual('model.onnx', record.onnx, files.find(({ path }) => path === 'model.onnx')?.digest);

  const parent = await fineTunedFrom(store, run.training, run.program);
  const bundle = await signModel(signer, { name: card.name, files });
  const signature = await keep(store, record.model, bundle);
  const provenance = await attest(store, signer, provenancePredicate, 'model', record.model, {
    buildDefinition: {
      buildType: trainingBuildType,
      externalParameters: { name: card.name, training: run.training },
      resolvedDependencies: [
        descriptorOf('snapshot', record.snapshot),
        descriptorOf('environment', record.environment),
        ...(run.program ? [descriptorOf('program', run.program)] : []),
        ...(parent ? [descriptorOf('parent', parent)] : []),
      ],
    },
    runDetails: {
      builder: { id: run.builder },
      metadata: {
        invocationId: run.invocation,
        startedOn: record.startedAt,
        finishedOn: record.finishedAt,
      },
    },
  });
  await store.attach(record.snapshot, provenance);
  if (parent) await store.attach(parent, provenance);
  return { signature, provenance };
}

/** Decides a verdict from its evidence: `decideAgain` of the evaluation room, with the store bound. */
export type DecideAgain = (gate: GateSpec, verdict: Verdict) => Verdict | Promise<Verdict>;

/**
 * Signs one test result a gate. Nothing is taken on trust: each verdict is decided again from its evidence first, so a
 * worker that evaluates cannot have a verdict signed that its own results do not bear.
 *
 * @returns digests in the order of the gates
 * @throws RefusedError `inputs-mismatch` unless there is one verdict a gate; `verdict-forged`, and nothing is signed
 */
export async function attestVerdicts(
  store: Store,
  signer: Signer,
  gates: readonly GateSpec[],
  verdicts: readonly Verdict[],
  about: Omit<GateInputs, 'gate'>,
  decideAgain: DecideAgain,
): Promise<readonly Digest[]> {
  requireEqual('gates with a verdict', gates.map(gateName).sort(), verdicts.map(({ gate }) => gate).sort());
  const decided: { gate: GateSpec; verdict: Verdict }[] = [];
  for (const gate of gates) {
    const verdict = verdicts.find((candidate) => candidate.gate === gateName(gate))!;
    const again = await decideAgain(gate, verdict);
    if (canonicalJson(again) !== canonicalJson(verdict)) {
      throw new RefusedError(
        'verdict-forged',
        `expected the verdict of ${verdict.gate} to be ${again.status} at ${again.estimate}, as its evidence says, ` +
          `got ${verdict.status} at ${verdict.estimate}`,
      );
    }
    decided.push({ gate, verdict });
  }
  // Every statement names the whole list of gates: leaving one statement out of a chain is then seen.
  const list = await store.putBlob(Buffer.from(canonicalJson(gates)));
  const digests: Digest[] = [];
  for (const { gate, verdict } of decided) {
    digests.push(
      await attest(store, signer, testResultPredicate, 'model', about.model, {
        result: resultOfStatus[verdict.status],
        configuration: [
          descriptorOf('gates', list),
          descriptorOf('snapshot', about.snapshot),
          descriptorOf('evidence', verdict.evidence),
          ...(about.parent && attacksThroughParent(gate) ? [descriptorOf('parent', about.parent)] : []),
        ],
        'https://assay.dev/attestation/verdict/v1': { gate, verdict },
      }),
    );
  }
  return digests;
}

/** Signs what a person decided about a model. */
export async function attestApproval(
  store: Store,
  signer: Signer,
  model: Digest,
  approval: Omit<Approval, 'decidedAt'>,
  now: Date,
): Promise<Digest> {
  return attest(store, signer, approvalPredicate, 'model', model, {
    ...approval,
    decidedAt: now.toISOString(),
  });
}

/** Signs that a person lets a model through though a gate did not pass. */
export async function attestWaiver(
  store: Store,
  signer: Signer,
  model: Digest,
  waiver: Omit<Waiver, 'waivedAt'>,
  now: Date,
): Promise<Digest> {
  return attest(store, signer, waiverPredicate, 'model', model, { ...waiver, waivedAt: now.toISOString() });
}

/** Signs one revision of an endpoint. */
export async function signRelease(store: Store, signer: Signer, record: ReleaseRecord): Promise<Digest> {
  return attest(store, signer, releasePredicate, 'model', record.model, record);
}

/** Signs a statement about an artifact, stores the bundle, and files it under the artifact. */
export async function attest<T>(
  store: Store,
  signer: Signer,
  type: PredicateType<T>,
  name: 'model' | 'snapshot' | 'trust-policy',
  subject: Digest,
  predicate: T,
): Promise<Digest> {
  return keep(store, subject, await signStatement(signer, type, descriptorOf(name, subject), predicate));
}

async function keep(store: Store, subject: Digest, bundle: Uint8Array): Promise<Digest> {
  const digest = await store.putBlob(bundle);
  await store.attach(subject, digest);
  return digest;
}

function requireEqual(what: string, expected: unknown, got: unknown): void {
  if (canonicalJson(expected) !== canonicalJson(got ?? null)) {
    throw new RefusedError(
      'inputs-mismatch',
      `expected the ${what} to be ${canonicalJson(expected)}, got ${got === undefined ? 'none' : canonicalJson(got)}`,
    );
  }
}

function readCard(bytes: Uint8Array): ModelCard {
  try {
    return modelCardSchema.parse(parseStrictJson(bytes));
  } catch (error) {
    throw new RefusedError('inputs-mismatch', `expected a model card: ${(error as Error).message}`);
  }
}
