import { ApplicationFailure, activityInfo, Context } from '@temporalio/activity';
import { z } from 'zod';
import { RefusedError } from '../core/errors/index.js';
import { executionEnvironment } from '../core/onnx/index.js';
import { type Digest, type ModelRecord, modelRecordSchema, type TrainingSpec } from '../core/spec/index.js';
import { train, trainingKey } from '../core/training/index.js';
import type { ComputeContext } from './context.js';
import { lastHeartbeat } from './heartbeat.js';
import { withScratchFolder } from './scratch.js';
import { runStage, type Stage, type StageResult } from './stage.js';

export interface TrainInput {
  /** Name of the model. */
  readonly name: string;
  readonly snapshot: Digest;
  readonly training: TrainingSpec;
  readonly program?: Digest;
  /** `reproduction`: trained again, on another worker than `notOn`, to compare digests. */
  readonly purpose: 'model' | 'reproduction';
  readonly notOn?: string;
}

export interface Trained {
  readonly record: ModelRecord;
  /** The worker process that did it. */
  readonly worker: string;
}

/** How long a reproduction is handed back to the queue, each half second, while no other worker takes it. */
const patienceMs = 15 * 60_000;

/** Trains by the trainer contract, resuming from the newest checkpoint that any earlier attempt left in the store. */
export function createTrain({ store, scratch, identity, withDevice }: ComputeContext) {
  return async function trainModel(input: TrainInput): Promise<StageResult<Trained>> {
    const { name, snapshot, training, program } = input;
    const inputs = {
      key: trainingKey({ name, snapshot, training, ...(program && { program }) }),
      purpose: input.purpose,
      // Two runtimes make two models: comparing them would call a training irreproducible that is not.
      runtimeVersion: executionEnvironment().runtimeVersion,
    };
    const stage: Stage<Trained> = {
      name: 'train',
      version: 2,
      outcome: z
        .strictObject({ record: modelRecordSchema, worker: z.string() })
        .refine(
          ({ record }) => record.snapshot === snapshot && record.seed === training.seed,
          'of another snapshot or seed',
        ),
    };
    return runStage(store, stage, inputs, async (report) => {
      if (input.notOn === identity) handBack();
      const resumeFrom = lastHeartbeat()?.checkpoint;
      return withScratchFolder(scratch, (workFolder) =>
        withDevice(async (device) => {
          const record = await train({
            store,
            snapshot,
            name,
            training,
            ...(program && { program }),
            ...(resumeFrom && { resumeFrom }),
            ...(device !== undefined && { device }),
            workFolder,
            onProgress: ({ fraction, metrics, checkpoint }) =>
              report({ fraction, detail: describe(metrics), ...(checkpoint && { checkpoint }) }),
            signal: Context.current().cancellationSignal,
            now: () => new Date(),
          });
          return { record, worker: identity };
        }),
      );
    });
  };
}

/** Gives the task back so that another worker process may take it: a reproduction at home would prove little. */
function handBack(): never {
  if (Date.now() - activityInfo().scheduledTimestampMs > patienceMs) {
    throw new RefusedError(
      'no-worker',
      `expected a second worker process to reproduce the training within ${patienceMs / 60_000} minutes, got only the one that trained: no other polls this queue, or all are busy`,
    );
  }
  throw ApplicationFailure.create({
    type: 'SameWorker',
    message: 'Handed back: this worker trained the model; another one must reproduce it.',
    nextRetryDelay: '500ms',
  });
}

function describe(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
