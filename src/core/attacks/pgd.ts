import type { Attack } from './attack.js';
import { joinRows } from './batches.js';
import { stepInBox } from './box-steps.js';
import { crossEntropy } from './losses.js';
import { project } from './projection.js';
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
import { steepest } from './steepest.js';
import { likeliestOthers } from './targets.js';

export interface PgdOptions {
  /** Gradient steps of one restart. */
  readonly steps: number;
  /** Random starts; each later one attacks only what is still standing. */
  readonly restarts: number;
  /** Length of one step in the threat model's norm, in the units that the model sees. */
  readonly stepSize: number;
  /**
   * How much of the direction so far each step keeps, 0…1; absent: none. Gradients are added up at unit L1 length.
   *
   * Source: Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, algorithm 1.
   */
  readonly momentum?: number;
  /**
   * How many other classes to climb towards, one after the other, the likeliest first; absent: away from the label. Any
   * misclassification counts.
   */
  readonly targets?: number;
}

/**
 * Projected gradient descent on the cross-entropy, from random starts, in steps along the steepest direction of the norm.
 * Every iterate is looked at, so a sample is broken as soon as any of them is misclassified; of an unbroken one the
 * iterate with the largest loss is kept. A sample that the model gets wrong as it is counts as broken by itself.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks",
 * ICLR 2018, section 2.1.
 */
export const pgd: Attack<PgdOptions> = {
  name: 'pgd',
  async run(classifier, samples, threat, options, context) {
    const search = openSearch(classifier, samples, threat, context);
    const { classes } = classifier;
    const aims = new Map<number, readonly number[]>();
    await lookAtOriginals(search, async (batch, points) => {
      const { logits } = await look(search, batch, points);
      if (options.targets === undefined) return;
      for (const [row, index] of batch.entries()) {
        const own = logits.subarray(row * classes, (row + 1) * classes);
        aims.set(index, likeliestOthers(own, samples.labels[index]!, options.targets));
      }
    });
    const rounds = options.targets === undefined ? 1 : Math.max(1, Math.min(options.targets, classes - 1));
    return climbInRestarts(search, options.restarts * rounds, (batch, restart) =>
      climb(search, options, restart, batch, (index) => aims.get(index)?.[restart % rounds]),
    );
  },
};

async function climb(
  search: Search,
  options: PgdOptions,
  restart: number,
  batch: readonly number[],
  targetOf: (index: number) => number | undefined,
): Promise<void> {
  const { context, size } = search;
  let climbers = batch.map((index) => ({
    index,
    velocity: new Float32Array(size) as Float32Array,
    best: Number.NEGATIVE_INFINITY,
    bestBeforeLast: Number.NEGATIVE_INFINITY,
  }));
  /** One point a climber, moved in place. */
  const points = joinRows(
    size,
    batch.map((index) => uniformStart(search, 'pgd', index, restart)),
  );
  const rowOf = (matrix: Float32Array, row: number) => matrix.subarray(row * size, (row + 1) * size);
  for (let iteration = 0; iteration <= options.steps && climbers.length > 0; iteration++) {
    context.signal?.throwIfAborted();
    const indices = climbers.map(({ index }) => index);
    const asked = points.subarray(0, climbers.length * size);
    const { losses, gradient } = await look(search, indices, asked, targetOf);
    const standing: typeof climbers = [];
    for (const [row, climber] of climbers.entries()) {
      climber.best = Math.max(climber.best, losses[row]!);
      if (iteration === options.steps - LATE_STEPS) climber.bestBeforeLast = climber.best;
      if (search.success[climber.index]) continue;
      const slope = rowOf(gradient, row);
      climber.velocity = options.momentum ? withMomentum(climber.velocity, slope, options.momentum) : slope;
      const point = rowOf(points, row);
      step(search, climber.index, point, climber.velocity, options.stepSize, rowOf(points, standing.length));
      standing.push(climber);
    }
    climbers = standing;
  }
  for (const { index, best, bestBeforeLast } of climbers) {
    search.lateRise[index] = options.steps < LATE_STEPS ? Number.NaN : best - bestBeforeLast;
  }
}

/** A steepest step, moved into the ball. @param next - where to write it */
function step(
  search: Search,
  index: number,
  point: Float32Array,
  gradient: Float32Array,
  length: number,
  next: Float32Array,
): void {
  if (search.threat.norm === 'linf') {
    stepInBox(search, index, point, gradient, length, next);
    return;
  }
  const wish = steepest(search, index, point, gradient);
  for (let i = 0; i < wish.length; i++) wish[i] = point[i]! + length * wish[i]!;
  project(search, index, wish, next);
}

function withMomentum(velocity: Float32Array, gradient: Float32Array, decay: number): Float32Array {
  const finite = gradient.map((slope) => (Number.isFinite(slope) ? slope : 0));
  const length = finite.reduce((sum, slope) => sum + Math.abs(slope), 0);
  return velocity.map((speed, i) => decay * speed + (length === 0 ? 0 : finite[i]! / length));
}

/**
 * Runs the model on one point a sample and keeps each point that is stronger than what its sample had.
 *
 * @param targetOf - the class that a sample climbs towards; undefined where it climbs away from its label
 * @returns what is climbed: the cross-entropy of the label, or the target's with its sign turned; its gradient; the logits
 */
async function look(
  search: Search,
  indices: readonly number[],
  relaxed: Float32Array,
  targetOf: (index: number) => number | undefined = () => undefined,
) {
  const { classifier, samples, size } = search;
  const { classes } = classifier;
  const points = feasibleRows(search, indices, relaxed);
  const aims = indices.map(targetOf);
  const labels = indices.map((index) => samples.labels[index]!);
  const aimed = Uint32Array.from(indices, (_, row) => aims[row] ?? labels[row]!);
  const { gradient, logits } = await classifier.lossGradient(points, aimed, indices.length);
  const lossOf = (row: number, c: number): number =>
    crossEntropy(logits.subarray(row * classes, (row + 1) * classes), c);
  keepStronger(
    search,
    indices,
    points,
    labels.map((label, row) => lossOf(row, label)),
    logits,
  );
  const losses = labels.map((label, row) =>
    aims[row] === undefined ? lossOf(row, label) : -lossOf(row, aims[row]),
  );
  if (aims.every((aim) => aim === undefined)) return { losses, gradient, logits };
  const uphill = gradient.map((slope, at) => (aims[Math.floor(at / size)] === undefined ? slope : -slope));
  return { losses, gradient: uphill, logits };
}
