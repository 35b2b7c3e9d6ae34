import { type RandomStream, randomStream } from '../random/index.js';
import type { Attack, Samples } from './attack.js';
import { batchesOf } from './batches.js';
import { distance } from './distance.js';
import { askLabels, type Questions } from './label-questions.js';
import { isMisclassified } from './predict.js';
import { feasible, project, type Reach } from './projection.js';
import { ended, lookAtOriginals, openSearch, type Search, stillStanding } from './search.js';
import { steepest } from './steepest.js';
import { allowedBox, insideThreatModel } from './threat-model.js';

export interface HopSkipJumpOptions {
  /** Points of each sample that the model is asked about, beside the sample itself. */
  readonly queries: number;
}

/** Random inputs that are tried until the model takes one for another class. */
const STARTS = 100;
/** Probes of the first direction: as the authors set it, and at most this share of the budget. */
const FIRST_PROBES = 100;
const FIRST_SHARE = 0.1;
/** Probes that one sample hands out at once: memory only. */
const AT_ONCE = 8;
/** Halvings of a step before the direction is given up. */
const HALVINGS = 20;
/** Least length of a probe, in parts of the largest value, so that float32 still tells it from nothing. */
const LEAST_PROBE = 2 ** -17;

/**
 * HopSkipJump: an attack that is told nothing but whether the model errs. From a misclassified point it goes back to the
 * decision boundary, estimates there by random probes which way the boundary faces, jumps along it, and so comes nearer to
 * the sample; it breaks the sample where that leads into the ball.
 *
 * The step along a direction is the steepest of the norm, and the way back is the projection on ever smaller balls: the
 * straight line under L2, cutting under L∞, as its authors have it; under L1, which they leave out, soft thresholding. Each
 * round also asks about the nearest point of the ball itself, which settles what the distance would otherwise have to show.
 *
 * Source: Chen, Jordan, Wainwright, "HopSkipJumpAttack: a query-efficient decision-based attack", S&P 2020, section III-C
 * and algorithms 1 and 2. Beside their uniform noise, starts with runs of equal values are tried: many models take all
 * noise for the same class.
 */
export const hopSkipJump: Attack<HopSkipJumpOptions> = {
  name: 'hop-skip-jump',
  async run(classifier, samples, threat, { queries }, context) {
    const search = openSearch(classifier, samples, threat, context);
    await lookAtOriginals(search, async (batch, points) => {
      const logits = await classifier.logits(points, batch.length);
      batch.forEach((index, row) => {
        search.success[index] = isMisclassified(classifier, logits, row, samples.labels[index]!) ? 1 : 0;
      });
    });
    const anywhere = { ...threat, epsilon: Number.MAX_VALUE };
    const everything: Reach = { ...search, threat: anywhere, box: allowedBox(samples, anywhere) };
    const standing = stillStanding(search);
    let done = 0;
    for (const batch of batchesOf(standing, context.batchSize)) {
      await askLabels(search, batch, queries, (index) => hop({ search, everything, index, queries }));
      done += batch.length;
      context.onProgress?.(done / standing.length);
    }
    return ended(search);
  },
};

/** One sample under attack. */
interface Hop {
  readonly search: Search;
  /** Where the valid range lets the sample go. */
  readonly everything: Reach;
  readonly index: number;
  readonly queries: number;
}

function* hop(how: Hop): Questions {
  const { search, index } = how;
  const { samples, threat, context, size } = search;
  const original = samples.inputs.subarray(index * size, (index + 1) * size);
  let wrong = yield* findStart(how);
  for (let round = 1; wrong; round++) {
    const reached = insideThreatModel(original, wrong, threat);
    const inside = reached ? wrong : feasible(search, index, project(search, index, wrong));
    const broken = reached || (yield [inside])[0];
    // Kept even where the model gets it right: it is the best guess that there is.
    search.adversarial.set(inside, index * size);
    if (broken) {
      search.success[index] = 1;
      return;
    }
    const near: Float32Array = yield* goBack(how, original, wrong);
    const stream = randomStream(context.seed, samples.ids[index]!, 'hop-skip-jump', 0, round);
    wrong = yield* jump(how, original, near, round, stream);
  }
}

function* findStart({
  search,
  everything,
  index,
}: Hop): Generator<readonly Float32Array[], Float32Array | undefined, readonly boolean[]> {
  const { samples, context, size } = search;
  const { lower, upper } = everything.box;
  const stream = randomStream(context.seed, samples.ids[index]!, 'hop-skip-jump', 0, 0);
  for (let start = 0; start < STARTS; start++) {
    const run = start % 2 === 0 ? 0 : 2 ** stream.integer(Math.ceil(Math.log2(size)) + 1);
    let share = 0;
    const draw = Float64Array.from({ length: size }, (_, i) => {
      if (run === 0) share = stream.uniform();
      else if (i % run === 0) share = stream.uint32() & 1;
      const [low, high] = [lower[index * size + i]!, upper[index * size + i]!];
      return low + share * (high - low);
    });
    const point = project(everything, index, draw);
    if ((yield [point])[0]) return point;
  }
  return undefined;
}

/** From a misclassified point towards the sample, by bisection, to one that is still misclassified. */
function* goBack({ search, index }: Hop, original: Float32Array, from: Float32Array) {
  const { samples, threat, size } = search;
  const { norm } = threat;
  const one: Samples = {
    ids: [samples.ids[index]!],
    inputs: original,
    labels: samples.labels.slice(index, index + 1),
  };
  const tolerance = Math.max(1e-6, size ** (norm === 'l2' ? -1.5 : -2));
  let near = from;
  let [low, high] = [threat.epsilon, distance(norm, original, from)];
  while (high - low > tolerance * high) {
    const middle = { ...threat, epsilon: (low + high) / 2 };
    const point = project({ samples: one, threat: middle, size, box: allowedBox(one, middle) }, 0, from);
    const [wrong]: readonly boolean[] = yield [point];
    if (wrong) [near, high] = [point, distance(norm, original, point)];
    else low = middle.epsilon;
  }
  return near;
}

/** From the boundary along the way that it faces, as far as the model still errs. */
function* jump(
  { everything, index, queries }: Hop,
  original: Float32Array,
  from: Float32Array,
  round: number,
  stream: RandomStream,
) {
  const probes = Math.ceil(
    Math.max(AT_ONCE, Math.min(FIRST_PROBES, FIRST_SHARE * queries)) * Math.sqrt(round),
  );
  const away = distance(everything.threat.norm, original, from);
  const facing: Float32Array = yield* estimateDirection(everything, index, from, away, probes, stream);
  const direction = steepest(everything, index, from, facing);
  let length = away / Math.sqrt(round);
  for (let halving = 0; halving <= HALVINGS; halving++) {
    const point = project(
      everything,
      index,
      direction.map((way, i) => from[i]! + length * way),
    );
    const [wrong]: readonly boolean[] = yield [point];
    if (wrong) return point;
    length /= 2;
  }
  return from;
}

/**
 * The mean of random directions, each counted by whether the model errs there, less the mean of those counts: it points
 * where the model errs. Directions are as the valid range leaves them.
 */
function* estimateDirection(
  everything: Reach,
  index: number,
  from: Float32Array,
  away: number,
  probes: number,
  stream: RandomStream,
) {
  const { size } = everything;
  const largest = from.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const length = Math.max(away / size, Math.sqrt(size) * LEAST_PROBE * largest);
  const all = new Float64Array(size);
  const erring = new Float64Array(size);
  let errors = 0;
  for (let asked = 0; asked < probes; asked += AT_ONCE) {
    const points = Array.from({ length: Math.min(AT_ONCE, probes - asked) }, () => {
      const draw = Float64Array.from({ length: size }, () => stream.normal());
      const scale = length / Math.sqrt(draw.reduce((sum, value) => sum + value * value, 0));
      return project(
        everything,
        index,
        draw.map((value, i) => from[i]! + scale * value),
      );
    });
    const answers: readonly boolean[] = yield points;
    points.forEach((point, row) => {
      if (answers[row]) errors += 1;
      for (let i = 0; i < size; i++) {
        const move = (point[i]! - from[i]!) / length;
        all[i]! += move;
        if (answers[row]) erring[i]! += move;
      }
    });
  }
  // Σ (φ − mean φ) · move with φ = ±1, up to a factor; where all answers are alike, ± their mean.
  if (errors === 0) return Float32Array.from(all, (sum) => -sum);
  if (errors === probes) return Float32Array.from(all);
  return Float32Array.from(erring, (sum, i) => sum - (errors / probes) * all[i]!);
}
