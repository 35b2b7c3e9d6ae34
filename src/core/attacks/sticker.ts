import { randomStream } from '../random/index.js';
import type { Attack } from './attack.js';
import { batchesOf, joinRows } from './batches.js';
import { crossEntropy } from './losses.js';
import { bestPlaces, linearGains, type PatchOptions, STRIDE } from './patch.js';
import { isMisclassified } from './predict.js';
import { ended, keepStronger, lookAtOriginals, openSearch, type Search } from './search.js';

/**
 * The universal patch: one sticker, with one filling at one place, for all images. It is learned from the context's lessons
 * by signed steps along the mean gradient of their cross-entropy, at the places where linear models would lose most together,
 * and of all fillings on the way the one that most lessons are misclassified with is put on every sample. Whoever prints it
 * needs no other sample's gradient.
 *
 * Sources: Brown, Mané, Roy, Abadi, Gilmer, "Adversarial patch", 2017, section 2, with one place and no turning; Moosavi-Dezfooli,
 * Fawzi, Fawzi, Frossard, "Universal adversarial perturbations", CVPR 2017, for one change to many images.
 *
 * @throws TypeError when the threat model has no patch, or a norm other than L∞, or there are no lessons
 */
export const sticker: Attack<PatchOptions> = {
  name: 'sticker',
  async run(classifier, samples, threat, options, context) {
    if (threat.patch === undefined || threat.norm !== 'linf') {
      throw new TypeError('expected a threat model with a patch, in the norm linf');
    }
    const { lessons } = context;
    if (lessons === undefined) throw new TypeError('expected samples to learn a sticker from, got none');
    const learned = await learn(openSearch(classifier, lessons, threat, context), options);
    const search = openSearch(classifier, samples, threat, context);
    await lookAtOriginals(search, (batch, points) => look(search, batch, points));
    for (const batch of batchesOf([...samples.ids.keys()], context.batchSize)) {
      context.signal?.throwIfAborted();
      await look(
        search,
        batch,
        joinRows(
          search.size,
          batch.map((index) => stuckOn(search, index, learned)),
        ),
      );
    }
    return ended(search);
  },
};

/** Values by the positions of a sample that they are put at. */
interface Sticker {
  readonly positions: readonly number[];
  readonly values: Float32Array;
}

async function learn(search: Search, { steps, locations }: PatchOptions): Promise<Sticker> {
  const { samples, threat, size, context } = search;
  const indices = [...samples.ids.keys()];
  const { slopes } = await lookAtAll(search, indices, (index) =>
    samples.inputs.subarray(index * size, (index + 1) * size),
  );
  const gains = new Float64Array(size);
  for (const index of indices) {
    linearGains(search, index, slopes[index]!).forEach((gain, i) => {
      gains[i]! += gain;
    });
  }
  const places = bestPlaces(threat.patch!, gains).slice(0, locations);
  let best: (Sticker & { readonly errors: number; readonly loss: number }) | undefined;
  for (const [rank, positions] of places.entries()) {
    const stream = randomStream(context.seed, 'sticker', rank, 0);
    const ends = positions.map((i) => [threat.minimum[i]!, threat.maximum[i]!] as const);
    const values = Float32Array.from(ends, ([low, high]) => low + stream.uniform() * (high - low));
    for (let step = 0; step <= steps; step++) {
      const now: Sticker = { positions, values: values.slice() };
      const seen = await lookAtAll(search, indices, (index) => stuckOn(search, index, now));
      if (!best || seen.errors > best.errors || (seen.errors === best.errors && seen.loss > best.loss)) {
        best = { ...now, errors: seen.errors, loss: seen.loss };
      }
      for (const [cell, i] of positions.entries()) {
        const [low, high] = ends[cell]!;
        const slope = indices.reduce((sum, index) => sum + (seen.slopes[index]![i]! || 0), 0);
        const wish = values[cell]! + (Math.sign(slope) * STRIDE * (high - low)) / steps;
        values[cell] = Math.min(high, Math.max(low, wish));
      }
      context.onProgress?.((rank + step / steps) / places.length);
    }
  }
  return best!;
}

/** What the model makes of one point a sample: how many are misclassified, the sum of losses, and each sample's slopes. */
async function lookAtAll(
  { classifier, samples, size, context }: Search,
  indices: readonly number[],
  pointOf: (index: number) => Float32Array,
) {
  const { classes } = classifier;
  const slopes: Float32Array[] = [];
  let errors = 0;
  let loss = 0;
  for (const batch of batchesOf(indices, context.batchSize)) {
    context.signal?.throwIfAborted();
    const labels = Uint32Array.from(batch, (index) => samples.labels[index]!);
    const points = joinRows(size, batch.map(pointOf));
    const { gradient, logits } = await classifier.lossGradient(points, labels, batch.length);
    for (const [row, label] of labels.entries()) {
      slopes.push(gradient.slice(row * size, (row + 1) * size));
      if (isMisclassified(classifier, logits, row, label)) errors += 1;
      loss += crossEntropy(logits.subarray(row * classes, (row + 1) * classes), label);
    }
  }
  return { slopes, errors, loss };
}

/** A sample with the sticker on it, as far as its ball lets the values go. */
function stuckOn(
  { samples, box, size }: Search,
  index: number,
  { positions, values }: Sticker,
): Float32Array {
  const point = samples.inputs.slice(index * size, (index + 1) * size);
  for (const [cell, i] of positions.entries()) {
    const at = index * size + i;
    point[i] = Math.min(box.upper[at]!, Math.max(box.lower[at]!, values[cell]!));
  }
  return point;
}

async function look(search: Search, indices: readonly number[], points: Float32Array): Promise<void> {
  const { classifier, samples } = search;
  const { classes } = classifier;
  const logits = await classifier.logits(points, indices.length);
  const losses = indices.map((index, row) =>
    crossEntropy(logits.subarray(row * classes, (row + 1) * classes), samples.labels[index]!),
  );
  keepStronger(search, indices, points, losses, logits);
}
