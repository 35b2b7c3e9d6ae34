import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { openClassifier } from '../attacks/index.js';
import { inputRange, readManifest, readSplit, type SnapshotManifest } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import { requireSafeModel } from '../onnx/index.js';
import { type ModelCard, modelCardSchema, votersOf } from '../spec/index.js';
import { canonicalJson, type Store } from '../store/index.js';
import type { GateSubject } from './gate.js';
import { parentOpener } from './open-parent.js';
import { withGate } from './registry.js';
import { chooseSamples, type GateInputs, runKey, seedOf } from './run-key.js';
import { openServedModel } from './served-model.js';
import { type ModelFile, openModelFile } from './standalone/model-file.js';
import { takeSamples } from './take-samples.js';

export interface OpenSubjectOptions extends GateInputs {
  readonly store: Store;
  /** An existing folder; what is written into it is gone when the promise settles. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
  /** Called with work done so far, 0…1. */
  readonly onProgress: (fraction: number) => void;
}

/**
 * Fetches model and snapshot, draws the gate's samples and opens the model as it is served, for the time of `use`.
 *
 * @throws RefusedError `model-unsafe` when the scan finds an error, `model-unreadable` when the model does not fit its card
 * or the snapshot, `model-unfit` when the parent does not fit the model
 */
export async function withSubject<T>(
  options: OpenSubjectOptions,
  use: (subject: GateSubject) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(options.workFolder, 'gate-'));
  try {
    return await openIn(folder, options, use);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openIn<T>(
  folder: string,
  options: OpenSubjectOptions,
  use: (subject: GateSubject) => Promise<T>,
): Promise<T> {
  const { store, gate: gateSpec, model, snapshot, parent, signal, onProgress } = options;
  const modelFolder = path.join(folder, 'model');
  const snapshotFolder = path.join(folder, 'snapshot');
  await Promise.all([store.fetchTree(model, modelFolder), store.fetchTree(snapshot, snapshotFolder)]);
  const [onnx, card, manifest, test, owned] = await Promise.all([
    readFile(path.join(modelFolder, 'model.onnx')),
    readModelCard(modelFolder),
    readManifest(snapshotFolder),
    readSplit(snapshotFolder, 'test'),
    // Nobody else needs them.
    gateSpec.gate === 'extraction' ? readSplit(snapshotFolder, 'validation') : undefined,
  ]);
  expectFit(card, manifest);
  requireSafeModel(onnx);
  const key = runKey(options);
  const count = withGate(gateSpec, (gate, spec) => gate.sampleCount(spec, test.ids.length));
  const range = inputRange(manifest);
  const served = await openServedModel(onnx, card, seedOf(key));
  let parentFile: ModelFile | undefined;
  try {
    if (parent) parentFile = await openModelFile(await store.readBlob(parent));
    const classes = manifest.label.classes.length;
    const voters = votersOf(card.training);
    return await use({
      samples: takeSamples(test, chooseSamples(key, test.ids, count)),
      ...(owned && { owned }),
      classes,
      ...range,
      features: manifest.features,
      seed: seedOf(key),
      serve: served.serve,
      openClassifier: (...how) => openClassifier(onnx, card.input.shape, ...how),
      ...(parentFile && { openParent: parentOpener(parentFile, manifest.shape, classes) }),
      certifiable: { onnx, shape: card.input.shape, classes, ...range, logits: served.logits },
      isSmoothed: card.smoothing !== undefined,
      ...(voters !== undefined && { voters }),
      signal,
      onProgress,
    });
  } finally {
    await Promise.all([served.close(), parentFile?.close()]);
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
    ['text features', manifest.text ?? null, card.input.text ?? null],
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
