import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { openClassifier } from '../attacks/index.js';
import { inputRange, readManifest, readSplit, type SnapshotManifest } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import { executionEnvironment } from '../onnx/index.js';
import { type ModelCard, modelCardSchema, type Verdict } from '../spec/index.js';
import { canonicalJson, type Store } from '../store/index.js';
import { type EvidenceHeader, encodeEvidence } from './evidence.js';
import type { GateSubject } from './gate.js';
import { withGate } from './registry.js';
import { chooseSamples, type GateInputs, policyDigest, runKey, runKeyDerivation, seedOf } from './run-key.js';
import { openServedModel } from './served-model.js';
import { takeSamples } from './take-samples.js';

export interface EvaluateGateOptions extends GateInputs {
  readonly store: Store;
  /** An existing folder; what is written into it is gone when the promise settles. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
  /** Called with work done so far, 0…1. */
  readonly onProgress: (fraction: number) => void;
}

/**
 * Puts a model before a gate: measures it on test samples of the snapshot, stores the evidence and decides. Equal inputs
 * on equal machines give equal evidence, byte for byte, after any number of interruptions.
 *
 * @throws RefusedError `model-unreadable` when the model does not fit its card or the snapshot; the abort reason when
 * `signal` fires
 */
export async function evaluateGate(options: EvaluateGateOptions): Promise<Verdict> {
  const folder = await mkdtemp(path.join(options.workFolder, 'gate-'));
  try {
    return await evaluateIn(folder, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function evaluateIn(folder: string, options: EvaluateGateOptions): Promise<Verdict> {
  const { store, gate: gateSpec, model, snapshot, signal, onProgress } = options;
  const modelFolder = path.join(folder, 'model');
  const snapshotFolder = path.join(folder, 'snapshot');
  await Promise.all([store.fetchTree(model, modelFolder), store.fetchTree(snapshot, snapshotFolder)]);
  const [onnx, card, manifest, test] = await Promise.all([
    readFile(path.join(modelFolder, 'model.onnx')),
    readModelCard(modelFolder),
    readManifest(snapshotFolder),
    readSplit(snapshotFolder, 'test'),
  ]);
  expectFit(card, manifest);
  const key = runKey(options);
  const classes = manifest.label.classes;
  const served = await openServedModel(onnx, card);
  try {
    return await withGate(gateSpec, async (gate, spec) => {
      const drawn = chooseSamples(key, test.ids, gate.sampleCount(spec, test.ids.length));
      const subject: GateSubject = {
        samples: takeSamples(test, drawn),
        classes: classes.length,
        ...inputRange(manifest),
        seed: seedOf(key),
        serve: served.serve,
        openClassifier: (logitExponent) => openClassifier(onnx, card.input.shape, logitExponent),
        signal,
        onProgress,
      };
      const measurement = await gate.measure(spec, subject);
      const header: EvidenceHeader = {
        version: 1,
        gate: gateSpec,
        policy: policyDigest(gateSpec),
        model,
        snapshot,
        runKey: { derivation: runKeyDerivation, value: key },
        available: test.ids.length,
        classes,
        environment: { ...executionEnvironment() },
        ...(measurement.obstacle === undefined ? {} : { obstacle: measurement.obstacle }),
      };
      const evidence = await store.putBlob(encodeEvidence(header, measurement.rows));
      return { ...gate.decide(spec, { ...measurement, classes }), evidence };
    });
  } finally {
    await served.close();
  }
}

async function readModelCard(folder: string): Promise<ModelCard> {
  const parsed = modelCardSchema.safeParse(
    JSON.parse(await readFile(path.join(folder, 'model-card.json'), 'utf8')),
  );
  if (!parsed.success) {
    const details = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new RefusedError('model-unreadable', `model-card.json: ${details[0]}.`, details);
  }
  return parsed.data;
}

/** The ball and the valid range are the snapshot's: a model card cannot shrink what it is tested on. */
function expectFit(card: ModelCard, manifest: SnapshotManifest): void {
  const facts = [
    ['shape', manifest.shape, card.input.shape],
    ['classes', manifest.label.classes, card.output.classes],
    ['columns', manifest.features.map(({ column }) => column), card.input.columns],
  ] as const;
  for (const [name, expected, got] of facts) {
    if (canonicalJson(expected) !== canonicalJson(got)) {
      throw new RefusedError(
        'model-unreadable',
        `model-card.json: expected the snapshot's ${name} ${canonicalJson(expected)}, got ${canonicalJson(got)}.`,
      );
    }
  }
}
