import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inputRange, readManifest, readSplit } from '../../data/index.js';
import { RefusedError } from '../../errors/index.js';
import type { BuiltInParameters } from '../../spec/index.js';
import { canonicalJson, digestOf } from '../../store/index.js';
import type { TrainerEvent } from '../trainer.js';
import { builtInTrainer } from '../version.js';
import { decodeCheckpoint, encodeCheckpoint, replaceFile, type TrainingState } from './checkpoint.js';
import { importedNetwork } from './imported-network.js';
import { layeredNetwork } from './layered-network.js';
import type { Network } from './network.js';
import { optimize, type Position } from './optimize.js';
import { optimizePartitions } from './partitions/optimize-partitions.js';
import { isVoting, votingNetwork } from './partitions/voting-network.js';
import type { Problem } from './problem.js';

/** Shortest time between two progress events of a kind: within an epoch, and at its end. */
const progressEveryMs = 500;

export interface BuiltInTraining {
  readonly snapshotFolder: string;
  /** Where the file lies that a network is fine-tuned from. */
  readonly filesFolder: string;
  readonly parameters: BuiltInParameters;
  /** An integer in [0, 2³²). */
  readonly seed: number;
  /** Where `model.onnx`, `metrics.json` and `checkpoint.bin` go; it must exist. */
  readonly outputFolder: string;
  readonly resumeFrom?: string;
  emit(event: TrainerEvent): void;
  warn(message: string): void;
  /** Decides when to report and to save, and nothing that is in the output. */
  nowMs(): number;
}

/**
 * The built-in trainer: a linear model, an MLP, a CNN or anyone's ONNX file on a snapshot, plainly, by a method that
 * makes it robust, or in partitions that vote.
 *
 * @throws RefusedError `training-refused` when the network does not fit the data or training diverges; the data room's
 * refusals of the snapshot; `model-unreadable` and `operator-unsupported` of a file to fine-tune
 */
export async function trainBuiltIn(training: BuiltInTraining): Promise<void> {
  const { parameters, outputFolder } = training;
  const problem = await readProblem(training);
  const identity = await trainingIdentity(training);
  const start = await startingState(training, problem, identity);
  const checkpointFile = path.join(outputFolder, 'checkpoint.bin');
  let savedMs = training.nowMs();
  let reportedMs = Number.NEGATIVE_INFINITY;
  let validatedMs = Number.NEGATIVE_INFINITY;
  let latest: Readonly<Record<string, number>> = {};

  const onStep = async (position: Position): Promise<void> => {
    const { total, last, loss, endsEpoch } = position;
    const nowMs = training.nowMs();
    const validates = endsEpoch && (last || nowMs - validatedMs >= progressEveryMs);
    if (validates || nowMs - reportedMs >= progressEveryMs) {
      reportedMs = nowMs;
      latest = { ...latest, loss };
      if (validates) {
        validatedMs = nowMs;
        latest = { ...latest, validationAccuracy: await position.validationAccuracy() };
      }
      training.emit({ event: 'progress', done: position.state.done, total, metrics: latest });
    }
    if (nowMs - savedMs >= parameters.checkpointEverySeconds * 1000 && !last) {
      const { state } = position;
      await replaceFile(checkpointFile, encodeCheckpoint(state, identity));
      savedMs = training.nowMs();
      training.emit({ event: 'checkpoint', file: checkpointFile, done: state.done });
    }
  };

  const { network } = problem;
  const { theta, metrics } = isVoting(network)
    ? await optimizePartitions({ ...problem, network }, start, onStep)
    : await optimize(problem, start, onStep);
  await writeFile(path.join(outputFolder, 'model.onnx'), problem.network.encode(theta));
  await writeFile(path.join(outputFolder, 'metrics.json'), `${canonicalJson(metrics)}\n`);
}

async function readProblem(training: BuiltInTraining): Promise<Problem> {
  const { snapshotFolder, parameters, seed } = training;
  const manifest = await readManifest(snapshotFolder);
  const classes = manifest.label.classes.length;
  const train = await readSplit(snapshotFolder, 'train');
  if (train.ids.length === 0) throw new RefusedError('data-refused', 'expected training samples, got none');
  return {
    network: await readNetwork(training, manifest.shape, classes),
    train,
    validation: await readSplit(snapshotFolder, 'validation'),
    ...inputRange(manifest),
    parameters,
    seed,
  };
}

async function readNetwork(
  training: BuiltInTraining,
  shape: readonly number[],
  classes: number,
): Promise<Network> {
  const { network, partitions } = training.parameters;
  if (network.kind !== 'onnx') {
    const layered = layeredNetwork(network, shape, classes);
    return partitions ? votingNetwork(layered, partitions.count) : layered;
  }
  return importedNetwork(await readFile(fileOf(training, network.file)), network, shape, classes);
}

/** The file to fine-tune, which must lie among the files that came with the training and nowhere else. */
function fileOf({ filesFolder }: BuiltInTraining, file: string): string {
  const inside = path.relative(filesFolder, path.resolve(filesFolder, file));
  if (inside.split(path.sep)[0] === '..' || path.isAbsolute(file)) {
    throw new RefusedError(
      'training-refused',
      `expected network.file to lie beside the lifecycle file, got ${file}`,
    );
  }
  return path.join(filesFolder, inside);
}

/** SHA-256 over all that determines the result, so that no checkpoint is continued as another training. */
async function trainingIdentity(training: BuiltInTraining): Promise<Uint8Array> {
  const { snapshotFolder, parameters, seed } = training;
  const { network } = parameters;
  const { checkpointEverySeconds: _, ...determining } = parameters;
  const files = await Promise.all(
    [
      ...['snapshot.json', 'train.parquet', 'validation.parquet'].map((name) =>
        path.join(snapshotFolder, name),
      ),
      ...(network.kind === 'onnx' ? [fileOf(training, network.file)] : []),
    ].map(async (file) => digestOf(await readFile(file))),
  );
  const identity = canonicalJson({ trainer: builtInTrainer, parameters: determining, seed, files });
  return createHash('sha256').update(identity).digest();
}

/** A checkpoint only saves time: one that is of no use costs a warning and the time, never another result. */
async function startingState(
  { seed, resumeFrom, warn }: BuiltInTraining,
  { network }: Problem,
  identity: Uint8Array,
): Promise<TrainingState> {
  const theta = network.initial(seed);
  if (resumeFrom !== undefined) {
    try {
      return decodeCheckpoint(await readFile(resumeFrom), identity, theta.length);
    } catch (error) {
      warn(`starting from the beginning, ${resumeFrom} is of no use: ${(error as Error).message}`);
    }
  }
  const zeros = new Float32Array(theta.length);
  return { done: 0, lossSum: 0, theta, firstMoment: zeros, secondMoment: zeros };
}
