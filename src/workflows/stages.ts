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

/** Long stages beat every second; ten silent seconds mean that their worker is gone. */
const long = { heartbeatTimeout: '10s', scheduleToCloseTimeout: '7 days', retry } as const;
const short = { startToCloseTimeout: '20s', scheduleToCloseTimeout: '1 day', retry } as const;

export const compute = proxyActivities<ComputeActivities>({
  taskQueue: queues.cpu,
  startToCloseTimeout: '1 day',
  ...long,
});
export const signing = proxyActivities<SigningActivities>({ taskQueue: queues.signing, ...short });
export const control = proxyActivities<ControlActivities>({ taskQueue: queues.control, ...short });

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
    startToCloseTimeout: `${timeoutMinutes} minutes`,
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
      reasons: [`The lifecycle requires a GPU, and no worker polled ${queues.gpu} for ${gpuPatience}.`],
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
