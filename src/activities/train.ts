import { ApplicationFailure, activityInfo, Context } from '@temporalio/activity';
import { RefusedError } from '../core/errors/index.js';
import type { Digest, ModelRecord, TrainingSpec } from '../core/spec/index.js';
import { train, trainingKey } from '../core/training/index.js';
import type { ComputeContext } from './context.js';
import { lastHeartbeat, withHeartbeat } from './heartbeat.js';
import { withScratchFolder } from './scratch.js';
import { runStage, type StageResult } from './stage.js';

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

/** How often a reproduction is handed back to the queue, half a second each, while only the first worker polls. */
const handBacks = 600;

/** Trains by the trainer contract, resuming from the newest checkpoint that any earlier attempt left in the store. */
export function createTrain({ store, scratch, identity, withDevice }: ComputeContext) {
  return async function trainModel(input: TrainInput): Promise<StageResult<Trained>> {
    const { name, snapshot, training, program } = input;
    const key = trainingKey({ name, snapshot, training, ...(program && { program }) });
    return runStage(store, 'train', { key, purpose: input.purpose }, async () => {
      if (input.notOn === identity) handBack();
      const resumeFrom = lastHeartbeat()?.checkpoint;
      return withHeartbeat(lastHeartbeat() ?? { fraction: 0 }, (report) =>
        withScratchFolder(scratch, (workFolder) =>
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
        ),
      );
    });
  };
}

/** Gives the task back so that another worker process may take it: a reproduction at home would prove little. */
function handBack(): never {
  if (activityInfo().attempt > handBacks) {
    throw new RefusedError(
      'no-worker',
      'Reproduction needs a second worker process on this queue, but only the one that trained the model polls it.',
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
