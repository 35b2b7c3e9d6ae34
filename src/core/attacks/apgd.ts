import type { AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
import {
  climbInRestarts,
  keepStronger,
  lookAtOriginals,
  openSearch,
  type Search,
  signOrZero,
  uniformStart,
} from './search.js';

export interface ApgdOptions {
  /** Gradient steps of one restart. */
  readonly steps: number;
  /** Random starts; each later one attacks only what is still standing. */
  readonly restarts: number;
}

/** What Auto-PGD climbs: of one point a sample, the losses, their gradients by the points, and the logits. */
export type Objective = (
  classifier: Classifier,
  points: Float32Array,
  labels: Uint32Array,
) => Promise<{
  readonly losses: ArrayLike<number>;
  readonly gradient: Float32Array;
  readonly logits: Float32Array;
}>;

/** Share of the way to the projected gradient step; the rest is momentum. */
const ALPHA = 0.75;
/** Least share of the steps since the last checkpoint that must have raised the loss. */
const RHO = 0.75;

/**
 * Auto-PGD: sign steps with momentum from a random start. The step length begins at twice the radius; at each checkpoint
 * it is halved, and the climb goes on from the best point so far, where too few steps raised the loss, or where neither
 * the step nor the best loss has changed since the checkpoint before. So there is no step size to choose badly.
 *
 * Source: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, section 3.1 and algorithm 1.
 *
 * @param name - keys the random starts
 */
export async function autoPgd(
  name: string,
  objective: Objective,
  classifier: Classifier,
  samples: Samples,
  threat: ThreatModel,
  { steps, restarts }: ApgdOptions,
  context: AttackContext,
): Promise<AttackResult> {
  const search = openSearch(classifier, samples, threat, context);
  await lookAtOriginals(search, (batch, points) => look(search, objective, batch, points));
  return climbInRestarts(search, restarts, (batch, restart) => {
    const starts = batch.map((index) => uniformStart(search, name, index, restart));
    return climb(search, objective, batch, starts, steps);
  });
}

/** A point with its loss and gradient. */
interface Place {
  readonly point: Float32Array;
  readonly loss: number;
  readonly gradient: Float32Array;
}

/** One sample on its way up. */
interface Climber {
  readonly index: number;
  at: Place;
  /** The point before; the momentum comes from there. */
  before: Float32Array;
  best: Place;
  stepLength: number;
  /** Steps since the last checkpoint that raised the loss. */
  rises: number;
  /** At the last checkpoint: the best loss, and whether the step was halved. */
  bestLoss: number;
  halved: boolean;
}

async function climb(
  search: Search,
  objective: Objective,
  batch: readonly number[],
  starts: readonly Float32Array[],
  steps: number,
): Promise<void> {
  const { context, threat } = search;
  context.signal?.throwIfAborted();
  const first = await look(search, objective, batch, joined(search, starts));
  let climbers = batch.map((index, row): Climber => {
    const start = first[row]!;
    return {
      index,
      at: start,
      before: start.point,
      best: start,
      stepLength: 2 * threat.epsilon,
      rises: 0,
      bestLoss: start.loss,
      halved: false,
    };
  });
  const checks = checkpoints(steps);
  let checked = 0;
  for (let step = 1; step <= steps; step++) {
    climbers = climbers.filter(({ index }) => search.success[index] === 0);
    if (climbers.length === 0) return;
    context.signal?.throwIfAborted();
    const points = climbers.map((climber) => nextPoint(search, climber, step === 1 ? 1 : ALPHA));
    const indices = climbers.map(({ index }) => index);
    const places = await look(search, objective, indices, joined(search, points));
    climbers.forEach((climber, row) => {
      const place = places[row]!;
      if (place.loss > climber.at.loss) climber.rises += 1;
      climber.before = climber.at.point;
      climber.at = place;
      if (place.loss > climber.best.loss) climber.best = place;
    });
    if (checks.includes(step)) {
      for (const climber of climbers) adjust(climber, step - checked);
      checked = step;
    }
  }
}

function nextPoint(
  { box, size }: Search,
  { index, at, before, stepLength }: Climber,
  alpha: number,
): Float32Array {
  return at.point.map((value, i) => {
    const where = index * size + i;
    const clamp = (moved: number): number =>
      Math.min(box.upper[where]!, Math.max(box.lower[where]!, Math.fround(moved)));
    const stepped = clamp(value + stepLength * signOrZero(at.gradient[i]!));
    return clamp(value + alpha * (stepped - value) + (1 - alpha) * (value - before[i]!));
  });
}

/** Conditions 1 and 2 of section 3.1, at a checkpoint `steps` steps after the last one. */
function adjust(climber: Climber, steps: number): void {
  const rarelyRose = climber.rises < RHO * steps;
  const stuck = !climber.halved && climber.best.loss <= climber.bestLoss;
  climber.halved = rarelyRose || stuck;
  climber.bestLoss = climber.best.loss;
  climber.rises = 0;
  if (!climber.halved) return;
  climber.stepLength /= 2;
  climber.at = climber.best;
}

/**
 * The steps after which the step length is looked at: ⌈pⱼ · steps⌉ with p₁ = 0.22 and
 * pⱼ₊₁ = pⱼ + max(pⱼ − pⱼ₋₁ − 0.03, 0.06), in whole hundredths so that no rounding moves one.
 */
export function checkpoints(steps: number): readonly number[] {
  const found = new Set<number>();
  for (let before = 0, at = 22; at <= 100; ) {
    found.add(Math.ceil((at * steps) / 100));
    [before, at] = [at, at + Math.max(at - before - 3, 6)];
  }
  return [...found];
}

async function look(
  search: Search,
  objective: Objective,
  indices: readonly number[],
  points: Float32Array,
): Promise<readonly Place[]> {
  const { classifier, samples, size } = search;
  const labels = Uint32Array.from(indices, (index) => samples.labels[index]!);
  const { losses, gradient, logits } = await objective(classifier, points, labels);
  keepStronger(search, indices, points, losses, logits);
  return indices.map((_, row) => ({
    point: points.slice(row * size, (row + 1) * size),
    loss: losses[row]!,
    gradient: gradient.slice(row * size, (row + 1) * size),
  }));
}

function joined({ size }: Search, points: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(points.length * size);
  points.forEach((point, row) => {
    all.set(point, row * size);
  });
  return all;
}
