import { setTimeout as sleep } from 'node:timers/promises';
import type { RunProgress } from '../../src/cli/client.js';
import type { Plant } from '../support/plant.js';

/** Watches a run until it has come so far, and fails when it ended before. */
export async function reaches(
  plant: Plant,
  run: string,
  far: (progress: RunProgress) => boolean,
): Promise<RunProgress> {
  for (;;) {
    const progress = await plant.client.progress(run);
    if (far(progress)) return progress;
    if (!(await plant.client.isRunning(run))) throw new Error(`${run} ended before it came so far`);
    await sleep(20);
  }
}

/** Of an activity under way, as it last reported; 0 where none is. */
export function fractionOf(activity: string, { running }: RunProgress): number {
  return Math.max(
    0,
    ...running.filter((entry) => entry.activity === activity).map(({ fraction }) => fraction),
  );
}

export function statusOf(stage: string, { stages }: RunProgress): string | undefined {
  return stages.find(({ name }) => name === stage)?.status;
}

/** Heartbeats come each second, so that a late one must still find the activity at work. */
export function underWay(activity: string, fraction: number) {
  return (progress: RunProgress) => fractionOf(activity, progress) >= fraction;
}
