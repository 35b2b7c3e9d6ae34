import { randomStream } from '../random/index.js';
import type { Attack } from './attack.js';
import { joinRows } from './batches.js';
import { crossEntropy } from './losses.js';
import { covered, locationsOf, type Patch } from './patch-support.js';
import type { Reach } from './projection.js';
import {
  climbInRestarts,
  keepStronger,
  LATE_STEPS,
  lookAtOriginals,
  openSearch,
  type Search,
} from './search.js';

export interface PatchOptions {
  /** Gradient steps at one place. */
  readonly steps: number;
  /** Places tried for each sample, the most promising first. */
  readonly locations: number;
}

/**
 * The adversarial patch, for a threat model with a {@link Patch}: looks for the places where a linear model would lose most,
 * tries what it would fill them with, and climbs the cross-entropy by signed steps inside the best rectangle, from a random
 * filling; then in the next best. A sample is broken by its own patch, at its own place.
 *
 * The threat model's norm and radius bound the values under the patch; a radius of the whole valid range leaves them free.
 *
 * Sources: Brown et al., "Adversarial patch", 2017; Eykholt et al., "Robust physical-world attacks on deep learning visual
 * classification", CVPR 2018 (stickers on a stop sign); Karmon, Zoran, Goldberg, "LaVAN: localized and visible adversarial
 * noise", ICML 2018, for patches of one image.
 *
 * @throws TypeError when the threat model has no patch, or a norm other than L∞
 */
export const patch: Attack<PatchOptions> = {
  name: 'patch',
  async run(classifier, samples, threat, { steps, locations }, context) {
    if (threat.patch === undefined || threat.norm !== 'linf') {
      throw new TypeError('expected a threat model with a patch, in the norm linf');
    }
    const sticker = threat.patch;
    const search = openSearch(classifier, samples, threat, context);
    const ranked = new Map<number, readonly (readonly number[])[]>();
    await lookAtOriginals(search, async (batch, points) => {
      const { gradient } = await look(search, batch, points);
      batch.forEach((index, row) => {
        const slopes = gradient.subarray(row * search.size, (row + 1) * search.size);
        const places = bestPlaces(sticker, linearGains(search, index, slopes));
        ranked.set(index, places.slice(0, Math.max(locations, TRIALS)));
      });
      await tryPlaces(search, batch, gradient, ranked);
    });
    const places = Math.min(locations, locationsOf(sticker).length);
    return climbInRestarts(search, places, (batch, rank) =>
      climb(
        search,
        batch.map((index) => ({ index, positions: ranked.get(index)![rank]! })),
        rank,
        steps,
      ),
    );
  },
};

/** Places that are tried by the filling that a linear model would have, before any is climbed at. */
const TRIALS = 64;

/** Puts the places of each sample in the order of the losses that fillings along the slopes have there. */
async function tryPlaces(
  search: Search,
  batch: readonly number[],
  gradient: Float32Array,
  ranked: Map<number, readonly (readonly number[])[]>,
): Promise<void> {
  const { samples, box, size } = search;
  const rated = new Map(
    batch.map((index) => [index, [] as { positions: readonly number[]; loss: number }[]]),
  );
  for (let rank = 0; rank < (ranked.get(batch[0]!)?.length ?? 0); rank++) {
    const standing = [...batch.entries()].filter(([, index]) => search.success[index] === 0);
    if (standing.length === 0) return;
    const points = standing.map(([row, index]) => {
      const point = samples.inputs.slice(index * size, (index + 1) * size);
      for (const i of ranked.get(index)![rank]!) {
        const slope = gradient[row * size + i]!;
        if (slope > 0) point[i] = box.upper[index * size + i]!;
        if (slope < 0) point[i] = box.lower[index * size + i]!;
      }
      return point;
    });
    const indices = standing.map(([, index]) => index);
    const { losses } = await look(search, indices, joinRows(size, points));
    for (const [row, index] of indices.entries()) {
      rated.get(index)!.push({ positions: ranked.get(index)![rank]!, loss: losses[row]! });
    }
  }
  for (const [index, places] of rated) {
    places.sort((one, other) => other.loss - one.loss);
    ranked.set(
      index,
      places.map(({ positions }) => positions),
    );
  }
}

/** What a linear model of these slopes would lose by each value of a sample, as far as the value can go. */
export function linearGains(
  { samples, box, size }: Reach,
  index: number,
  slopes: Float32Array,
): Float32Array {
  return slopes.map((slope, i) => {
    const at = index * size + i;
    const gain = slope * ((slope > 0 ? box.upper : box.lower)[at]! - samples.inputs[at]!);
    return Number.isNaN(gain) ? 0 : gain;
  });
}

/** The values under a patch at every place, in the order of what they gain together. */
export function bestPlaces(sticker: Patch, gains: ArrayLike<number>): readonly (readonly number[])[] {
  const size = gains.length;
  return locationsOf(sticker)
    .map((location) => {
      const positions = covered(sticker, location, size);
      return { positions, gain: positions.reduce((sum, i) => sum + gains[i]!, 0) };
    })
    .sort((one, other) => other.gain - one.gain)
    .map(({ positions }) => positions);
}

async function climb(
  search: Search,
  started: readonly { readonly index: number; readonly positions: readonly number[] }[],
  rank: number,
  steps: number,
): Promise<void> {
  const { samples, box, context, size } = search;
  const starts = started.map(({ index, positions }) => {
    const stream = randomStream(context.seed, samples.ids[index]!, 'patch', rank, 0);
    const point = samples.inputs.slice(index * size, (index + 1) * size);
    for (const i of positions) {
      const [low, high] = [box.lower[index * size + i]!, box.upper[index * size + i]!];
      point[i] = low + stream.uniform() * (high - low);
    }
    return {
      index,
      positions,
      point,
      best: Number.NEGATIVE_INFINITY,
      bestBeforeLast: Number.NEGATIVE_INFINITY,
    };
  });
  let climbers = starts;
  for (let step = 0; step <= steps && climbers.length > 0; step++) {
    context.signal?.throwIfAborted();
    const points = joinRows(
      size,
      climbers.map(({ point }) => point),
    );
    const { gradient, losses } = await look(
      search,
      climbers.map(({ index }) => index),
      points,
    );
    climbers.forEach((climber, row) => {
      const { index, positions, point } = climber;
      climber.best = Math.max(climber.best, losses[row]!);
      if (step === steps - LATE_STEPS) climber.bestBeforeLast = climber.best;
      for (const i of positions) {
        const [low, high] = [box.lower[index * size + i]!, box.upper[index * size + i]!];
        const slope = gradient[row * size + i]!;
        const way = Number.isNaN(slope) ? 0 : Math.sign(slope);
        const moved = point[i]! + (way * STRIDE * (high - low)) / steps;
        point[i] = Math.min(high, Math.max(low, moved));
      }
    });
    climbers = climbers.filter(({ index }) => search.success[index] === 0);
  }
  for (const { index, best, bestBeforeLast } of climbers) {
    search.lateRise[index] = steps < LATE_STEPS ? Number.NaN : best - bestBeforeLast;
  }
}

/** How far all steps together go, in parts of a value's range: there and back again. */
export const STRIDE = 2.5;

async function look(search: Search, indices: readonly number[], points: Float32Array) {
  const { classifier, samples } = search;
  const { classes } = classifier;
  const labels = Uint32Array.from(indices, (index) => samples.labels[index]!);
  const { gradient, logits } = await classifier.lossGradient(points, labels, indices.length);
  const losses = Array.from(labels, (label, row) =>
    crossEntropy(logits.subarray(row * classes, (row + 1) * classes), label),
  );
  keepStronger(search, indices, points, losses, logits);
  return { gradient, losses };
}
