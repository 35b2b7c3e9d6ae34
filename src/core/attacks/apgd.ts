import { halvingSchedule, type Pace, type Schedule, sparsitySchedule } from './apgd-schedule.js';
import type { AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
import { joinRows } from './batches.js';
import { momentumStepInBox } from './box-steps.js';
import { movable, project, type Reach } from './projection.js';
import {
  climbInRestarts,
  feasibleRows,
  keepStronger,
  LATE_STEPS,
  lookAtOriginals,
  openSearch,
  type Search,
  uniformStart,
} from './search.js';
import { steepest, steepestSigns } from './steepest.js';
import { allowedBox } from './threat-model.js';

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
  /** The class that each point is to become, where the objective has one in mind. */
  targets: Uint32Array,
) => Promise<{
  readonly losses: ArrayLike<number>;
  readonly gradient: Float32Array;
  readonly logits: Float32Array;
}>;

/** What an Auto-PGD attack is made of. */
export interface AutoPgd {
  /** Keys the random starts. */
  readonly name: string;
  readonly objective: Objective;
  /**
   * The classes to try one after the other, given the logits of the sample as it is; one restart each, `restarts` times.
   * Absent where the objective aims at no class.
   */
  targets?(logits: Float32Array, label: number): readonly number[];
}

/** Share of the way to the projected gradient step; the rest is momentum. */
const ALPHA = 0.75;

/** Under L1: radii in parts of ε, and the shares of the steps made at each. Only the last one's points count. */
const L1_STAGES = [
  { radius: 3, share: 0.3 },
  { radius: 2, share: 0.3 },
  { radius: 1, share: 0.4 },
] as const;

/**
 * Auto-PGD: steepest steps with momentum from a random start; their length follows a {@link Schedule}, so there is no step
 * size to choose badly. Under L1 there is no momentum, steps move few values, and the climb begins in larger balls.
 *
 * Source: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
 * ICML 2020, section 3.1 and algorithm 1; for L1, the same authors, "Mind the box: l1-APGD for sparse adversarial attacks
 * on image classifiers", ICML 2021, section 4.
 */
export async function autoPgd(
  attack: AutoPgd,
  classifier: Classifier,
  samples: Samples,
  threat: ThreatModel,
  { steps, restarts }: ApgdOptions,
  context: AttackContext,
): Promise<AttackResult> {
  const search = openSearch(classifier, samples, threat, context);
  const aims = new Map<number, readonly number[]>();
  await lookAtOriginals(search, async (batch, points) => {
    const { logits } = await look(
      search,
      attack.objective,
      batch,
      points,
      batch.map((index) => samples.labels[index]!),
    );
    batch.forEach((index, row) => {
      const own = logits.subarray(row * classifier.classes, (row + 1) * classifier.classes);
      if (attack.targets) aims.set(index, attack.targets(own, samples.labels[index]!));
    });
  });
  const rounds = Math.max(1, ...[...aims.values()].map((targets) => targets.length));
  return climbInRestarts(search, restarts * rounds, (batch, restart) => {
    const targetOf = (index: number): number => aims.get(index)?.[restart % rounds] ?? samples.labels[index]!;
    return climbInStages({ search, attack, targetOf, restart }, batch, steps);
  });
}

/** One restart of an attack. */
interface Ascent {
  readonly search: Search;
  readonly attack: AutoPgd;
  readonly restart: number;
  targetOf(index: number): number;
}

async function climbInStages(ascent: Ascent, batch: readonly number[], steps: number): Promise<void> {
  const { search, attack, restart } = ascent;
  if (search.threat.norm !== 'l1') {
    const starts = batch.map((index) => uniformStart(search, attack.name, index, restart));
    await climb(ascent, search, batch, starts, steps);
    return;
  }
  let done = 0;
  let standing = batch;
  let points: readonly Float32Array[] = [];
  for (const { radius, share } of L1_STAGES) {
    const length = radius === 1 ? steps - done : Math.floor(share * steps);
    if (length === 0) continue;
    const threat = { ...search.threat, epsilon: radius * search.threat.epsilon };
    const reach: Reach =
      radius === 1 ? search : { ...search, threat, box: allowedBox(search.samples, threat) };
    const starts = standing.map((index, row) =>
      points[row]
        ? project(reach, index, points[row])
        : uniformStart({ ...search, ...reach }, attack.name, index, restart),
    );
    const ends = await climb(ascent, reach, standing, starts, length);
    standing = ends.map(({ index }) => index);
    points = ends.map(({ best }) => best.point);
    done += length;
  }
}

/** A point with its loss and gradient. */
interface Place {
  readonly point: Float32Array;
  loss: number;
  readonly gradient: Float32Array;
}

/** One sample on its way up. */
interface Climber {
  readonly index: number;
  at: Place;
  /** The point before; the momentum comes from there. */
  before: Float32Array;
  /** In memory of its own. */
  readonly best: Place;
  readonly pace: Pace;
  /** The best loss when the last steps begin. */
  lossBeforeLast: number;
}

/** @returns those who are still standing */
async function climb(
  { search, attack, targetOf }: Ascent,
  reach: Reach,
  batch: readonly number[],
  starts: readonly Float32Array[],
  steps: number,
): Promise<readonly Climber[]> {
  const { context, size } = search;
  const schedule = reach.threat.norm === 'l1' ? sparsitySchedule : halvingSchedule;
  const counts = reach.threat.epsilon === search.threat.epsilon;
  const visit = async (indices: readonly number[], points: Float32Array) => {
    context.signal?.throwIfAborted();
    return (await look(search, attack.objective, indices, points, indices.map(targetOf), counts)).places;
  };
  // A step needs where its climber is and where it was before, so three buffers take turns.
  const paths = [joinRows(size, starts), ...[1, 2].map(() => new Float32Array(batch.length * size))];
  const first = await visit(batch, paths[0]!);
  let climbers = batch.map((index, row): Climber => {
    const start = first[row]!;
    const pace = schedule.begin(start.loss, size);
    const best = { ...start, point: start.point.slice(), gradient: start.gradient.slice() };
    return { index, at: start, before: start.point, best, pace, lossBeforeLast: start.loss };
  });
  const checks = schedule.checkpoints(steps);
  const wish = new Float64Array(size);
  let checked = 0;
  for (let step = 1; step <= steps; step++) {
    climbers = climbers.filter(({ index }) => search.success[index] === 0);
    if (climbers.length === 0) return climbers;
    if (step === steps - LATE_STEPS + 1) {
      for (const climber of climbers) climber.lossBeforeLast = climber.best.loss;
    }
    const points = paths[step % paths.length]!.subarray(0, climbers.length * size);
    climbers.forEach((climber, row) => {
      const next = points.subarray(row * size, (row + 1) * size);
      stepFrom(climber, reach, step === 1 ? 1 : ALPHA, next, wish);
    });
    const places = await visit(
      climbers.map(({ index }) => index),
      points,
    );
    climbers.forEach((climber, row) => {
      const place = places[row]!;
      if (place.loss > climber.at.loss) climber.pace.rises += 1;
      climber.before = climber.at.point;
      climber.at = place;
      if (place.loss > climber.best.loss) copyPlace(place, climber.best);
    });
    if (!checks.includes(step)) continue;
    for (const { index, pace, at, best } of climbers) {
      const moved = valuesMoved(search, index, best.point);
      if (schedule.adjust(pace, step - checked, best.loss, moved)) copyPlace(best, at);
    }
    checked = step;
  }
  for (const { index, best, lossBeforeLast } of climbers) {
    if (steps >= LATE_STEPS) search.lateRise[index] = best.loss - lossBeforeLast;
  }
  return climbers.filter(({ index }) => search.success[index] === 0);
}

function copyPlace(from: Place, to: Place): void {
  to.point.set(from.point);
  to.gradient.set(from.gradient);
  to.loss = from.loss;
}

/**
 * @param next - where to write the next point
 * @param wish - room for one point
 */
function stepFrom(
  { index, at: { point, gradient }, before, pace }: Climber,
  reach: Reach,
  share: number,
  next: Float32Array,
  wish: Float64Array,
): void {
  const { norm, epsilon } = reach.threat;
  const length = pace.stepLength * epsilon;
  if (norm === 'linf') {
    momentumStepInBox(reach, index, point, before, gradient, length, share, next);
    return;
  }
  if (norm === 'l1') steepestSigns(movable(reach, index, gradient), pace.moved, wish);
  else steepest(reach, index, point, gradient, wish);
  for (let i = 0; i < wish.length; i++) wish[i] = point[i]! + length * wish[i]!;
  project(reach, index, wish, next);
  if (norm === 'l1') return;
  for (let i = 0; i < wish.length; i++) {
    const here = point[i]!;
    wish[i] = here + share * (next[i]! - here) + (1 - share) * (here - before[i]!);
  }
  project(reach, index, wish, next);
}

function valuesMoved({ samples, size }: Search, index: number, point: Float32Array): number {
  let count = 0;
  for (let i = 0; i < size; i++) if (point[i] !== samples.inputs[index * size + i]) count += 1;
  return count;
}

async function look(
  search: Search,
  objective: Objective,
  indices: readonly number[],
  points: Float32Array,
  targets: readonly number[],
  counts = true,
): Promise<{ readonly places: readonly Place[]; readonly logits: Float32Array }> {
  const { classifier, samples, size } = search;
  const labels = Uint32Array.from(indices, (index) => samples.labels[index]!);
  const asked = counts ? feasibleRows(search, indices, points) : points;
  const { losses, gradient, logits } = await objective(classifier, asked, labels, Uint32Array.from(targets));
  if (counts) keepStronger(search, indices, asked, losses, logits);
  const places = indices.map((_, row) => ({
    point: points.subarray(row * size, (row + 1) * size),
    loss: losses[row]!,
    gradient: gradient.subarray(row * size, (row + 1) * size),
  }));
  return { places, logits };
}
