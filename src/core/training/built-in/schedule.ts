import type { BuiltInParameters, RampSpec, ScheduleSpec } from '../../spec/index.js';

/**
 * The learning rate of a step.
 *
 * @param epochsDone - when the step is, in epochs: the middle of the step, so that no step has the rate 0
 */
export function learningRateAt(
  { learningRate, epochs, schedule }: Pick<BuiltInParameters, 'learningRate' | 'epochs' | 'schedule'>,
  epochsDone: number,
): number {
  return schedule === undefined ? learningRate : learningRate * shareOf(schedule, epochsDone, epochs);
}

/** The share of the full learning rate, 0…1. */
function shareOf(schedule: ScheduleSpec, epochsDone: number, epochs: number): number {
  if (schedule.kind === 'one-cycle') {
    const at = epochsDone / epochs;
    return at < schedule.peak ? at / schedule.peak : (1 - at) / (1 - schedule.peak);
  }
  const warm = schedule.warmUpEpochs === undefined ? 1 : Math.min(1, epochsDone / schedule.warmUpEpochs);
  switch (schedule.kind) {
    case 'constant':
      return warm;
    case 'cosine':
      return (
        warm * (schedule.final + ((1 - schedule.final) * (1 + Math.cos((Math.PI * epochsDone) / epochs))) / 2)
      );
    case 'step':
      return warm * schedule.factor ** schedule.epochs.filter((boundary) => epochsDone >= boundary).length;
  }
}

/** How far a ramp has risen, 0…1. */
export function rampAt(ramp: RampSpec | undefined, epochsDone: number): number {
  return ramp === undefined ? 1 : Math.min(1, Math.max(0, (epochsDone - ramp.start) / ramp.epochs));
}
