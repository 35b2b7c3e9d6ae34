import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inputRange, readManifest, readSplit, type SnapshotManifest } from '../data/index.js';
import { RefusedError } from '../errors/index.js';
import { executionEnvironment } from '../onnx/index.js';
import {
  type Digest,
  type ModelCard,
  type ModelRecord,
  modelCardSchema,
  modelRecordSchema,
} from '../spec/index.js';
import { canonicalJson, digestOf, digestOfJson, fileBytes, type Store } from '../store/index.js';
import { builtInCommand } from './built-in/command.js';
import { checkModel, type ModelInterface } from './check-model.js';
import { runTrainer } from './run-trainer.js';
import type { TrainerEvent } from './trainer.js';
import { readTrainerOutput } from './trainer-output.js';
import type { TrainingInputs } from './training-key.js';
import { trainerName } from './version.js';

export interface TrainingProgress {
  /** Work done so far, 0…1. */
  readonly fraction: number;
  /** Current figures of the trainer. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Blob of the newest checkpoint, from which another worker can go on. */
  readonly checkpoint?: Digest;
}

export interface TrainOptions extends TrainingInputs {
  readonly store: Store;
  /** An empty folder for the time of the training. */
  readonly workFolder: string;
  /** A checkpoint that an earlier attempt reported; it saves time and changes no result. */
  readonly resumeFrom?: Digest;
  /** The accelerator that the trainer may use; none when absent. */
  readonly device?: string;
  onProgress(progress: TrainingProgress): void | Promise<void>;
  readonly signal: AbortSignal;
  now(): Date;
}

/**
 * Trains on a snapshot: runs the trainer, stores its checkpoints as they come, tries the model on validation samples
 * and stores the model folder (`model.onnx`, `model-card.json`, `metrics.json`). The folder holds no times and nothing of
 * this machine, so equal inputs give an equal digest wherever they are trained; the environment is a blob beside it.
 *
 * @throws RefusedError `training-refused`, or `model-unreadable` for a file that is no ONNX model; TransientError when the
 * trainer fails otherwise; the signal's reason when aborted
 */
export async function train(options: TrainOptions): Promise<ModelRecord> {
  const { store, snapshot, training, workFolder } = options;
  const startedAt = options.now().toISOString();
  const folder = (name: string): string => path.join(workFolder, name);
  await store.fetchTree(snapshot, folder('snapshot'));
  await runTrainer({
    ...(await prepareProgram(options, folder('program'))),
    snapshotFolder: folder('snapshot'),
    parameters: training.parameters,
    seed: training.seed,
    outputFolder: folder('output'),
    ...(await fetchCheckpoint(options, folder('resume.bin'))),
    ...(options.device !== undefined && { device: options.device }),
    onEvent: reportTo(options),
    signal: options.signal,
    timeoutMs: training.timeoutMinutes * 60_000,
  });

  const { modelFile, metrics } = await readTrainerOutput(folder('output'));
  const manifest = await readManifest(folder('snapshot'));
  const validation = await readSplit(folder('snapshot'), 'validation');
  const trialSamples = validation.ids.length > 0 ? validation : await readSplit(folder('snapshot'), 'train');
  const onnx = await readFile(modelFile);
  const card = modelCard(options, manifest, await checkModel(onnx, manifest, trialSamples));
  await mkdir(folder('model'));
  await copyFile(modelFile, path.join(folder('model'), 'model.onnx'));
  await writeFile(path.join(folder('model'), 'metrics.json'), canonicalJson(metrics));
  await writeFile(path.join(folder('model'), 'model-card.json'), canonicalJson(card));
  options.signal.throwIfAborted();

  const environment = {
    trainer: trainerName(training),
    node: process.versions.node,
    ...executionEnvironment(),
    ...(options.device !== undefined && { device: options.device }),
  };
  return modelRecordSchema.parse({
    model: await store.putTree(folder('model')),
    onnx: digestOf(onnx),
    snapshot,
    environment: await store.putBlob(Buffer.from(canonicalJson(environment))),
    metrics,
    trainer: trainerName(training),
    seed: training.seed,
    parameters: digestOfJson(training.parameters),
    startedAt,
    finishedAt: options.now().toISOString(),
  });
}

/** The command of the trainer and the folder it starts in: the user's files, or an empty one. */
async function prepareProgram({ store, training, program }: TrainOptions, workingFolder: string) {
  if (program === undefined) await mkdir(workingFolder);
  else await store.fetchTree(program, workingFolder);
  return { command: training.trainer === 'built-in' ? builtInCommand() : training.command, workingFolder };
}

async function fetchCheckpoint({ store, resumeFrom }: TrainOptions, file: string) {
  if (resumeFrom === undefined) return {};
  try {
    await store.fetchBlob(resumeFrom, file);
    return { resumeFrom: file };
  } catch (error) {
    // Lost or damaged, it costs time and changes no result.
    if (error instanceof RefusedError) return {};
    throw error;
  }
}

/** Turns the trainer's events into progress; every report repeats the newest checkpoint, as heartbeats forget. */
function reportTo({ store, resumeFrom, onProgress }: TrainOptions): (event: TrainerEvent) => Promise<void> {
  let latest: TrainingProgress = { fraction: 0, metrics: {}, ...(resumeFrom && { checkpoint: resumeFrom }) };
  return async (event) => {
    latest =
      event.event === 'progress'
        ? { ...latest, fraction: Math.min(1, event.done / event.total), metrics: event.metrics }
        : { ...latest, checkpoint: await store.putBlob(fileBytes(event.file)) };
    await onProgress(latest);
  };
}

function modelCard(
  { name, snapshot, training }: TrainingInputs,
  manifest: SnapshotManifest,
  { input, output }: ModelInterface,
): ModelCard {
  const { minimum, maximum } = inputRange(manifest);
  return modelCardSchema.parse({
    version: 1,
    name,
    input: {
      name: input,
      shape: manifest.shape,
      minimum: Array.from(minimum),
      maximum: Array.from(maximum),
      columns: manifest.features.map(({ column }) => column),
      ...(manifest.text && { text: manifest.text }),
    },
    output: { name: output, classes: manifest.label.classes },
    ...(training.smoothing && { smoothing: training.smoothing }),
    snapshot,
    training: { trainer: trainerName(training), seed: training.seed, parameters: training.parameters },
  });
}
