import { ActivityFailure, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import type {
  ComputeActivities,
  ControlActivities,
  SigningActivities,
  StageResult,
  Trained,
  TrainInput,
} from '../activities/index.js';
import { queues } from './contract.js';

/** Only faults reach this policy: refusals are results. They are tried until the stage's time is up. */
const retry = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' } as const;

/** Every activity beats each second, save the quick ones; ten silent seconds mean that its worker is gone. */
const long = { heartbeatTimeout: '10s', scheduleToCloseTimeout: '7 days', retry } as const;
const quick = { startToCloseTimeout: '20s', scheduleToCloseTimeout: '1 day', retry } as const;
/** To sign or to admit is to read a whole model, and a history of them: the time is for large ones. */
const verifying = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '10s',
  scheduleToCloseTimeout: '1 day',
  retry,
} as const;

export const compute = proxyActivities<ComputeActivities>({
  taskQueue: queues.cpu,
  startToCloseTimeout: '1 day',
  ...long,
});
export const signing = proxyActivities<SigningActivities>({ taskQueue: queues.signing, ...verifying });
export const control = proxyActivities<Pick<ControlActivities, 'proposeRelease' | 'hasPollers'>>({
  taskQueue: queues.control,
  ...quick,
});
export const admission = proxyActivities<
  Pick<
    ControlActivities,
    | 'publishRevision'
    | 'recoverRevisions'
    | 'findParent'
    | 'readDataDecisions'
    | 'checkRequest'
    | 'approvalsNeeded'
    | 'authorizeProposal'
  >
>({
  taskQueue: queues.control,
  ...verifying,
});

/** How long `gpu: require` waits for a GPU worker before it refuses. */
const gpuPatience = '15 minutes';

/**
 * Trains where the lifecycle wants it: `require` waits for a GPU worker and then refuses; `prefer` takes one when one
 * polls and falls back to CPU; `never` goes to CPU.
 *
 * @param onWait - called when the training is queued for a GPU worker
 */
export async function trainOn(
  input: TrainInput,
  onWait: (detail: string) => void,
): Promise<StageResult<Trained>> {
  const { gpu, timeoutMinutes } = input.training;
  const onGpu = gpu === 'require' || (gpu === 'prefer' && (await control.hasPollers(queues.gpu)));
  const limits = {
    ...long,
    // The trainer's own limit ends it with a refusal; this one, with time to fetch and store, would only try again.
    startToCloseTimeout: `${timeoutMinutes + 60} minutes`,
    summary: `${input.purpose}: ${input.name}`,
  } as const;
  if (!onGpu)
    return proxyActivities<ComputeActivities>({ taskQueue: queues.cpu, ...limits }).trainModel(input);

  onWait(`waits for a worker on ${queues.gpu}`);
  const scheduleToStartTimeout = gpu === 'require' ? gpuPatience : '1 minute';
  try {
    const gpuWorker = proxyActivities<ComputeActivities>({
      taskQueue: queues.gpu,
      scheduleToStartTimeout,
      ...limits,
    });
    return await gpuWorker.trainModel(input);
  } catch (error) {
    if (!neverStarted(error)) throw error;
    if (gpu === 'prefer')
      return proxyActivities<ComputeActivities>({ taskQueue: queues.cpu, ...limits }).trainModel(input);
    return {
      kind: 'refused',
      code: 'no-worker',
      reasons: [
        `The lifecycle requires a GPU, and no worker on ${queues.gpu} took the training for ${gpuPatience}: none runs, or all are busy.`,
      ],
      hint: `Start a worker with --role gpu, or write gpu: prefer.`,
      evidence: [],
    };
  }
}

function neverStarted(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'SCHEDULE_TO_START'
  );
}
