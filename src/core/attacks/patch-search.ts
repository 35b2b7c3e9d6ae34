import { type RandomStream, randomStream } from '../random/index.js';
import type { Attack } from './attack.js';
import { batchesOf, joinRows } from './batches.js';
import { margin } from './losses.js';
import { covered, type Location, type Patch } from './patch-support.js';
import { ended, keepStronger, lookAtOriginals, openSearch, type Search, stillStanding } from './search.js';
import { shareAt } from './square.js';

export interface PatchSearchOptions {
  /** Points of each sample that the model is asked about, beside the sample itself. */
  readonly queries: number;
}

/** One query in so many moves the patch; the others repaint a square of it. */
const MOVE_EVERY = 5;

/**
 * The adversarial patch by random search, asking for nothing but logits: each query either moves the patch, less and less
 * far, or sets one square of it, smaller and smaller, to an end of the range, each channel to an end of its own; what lowers
 * the margin is kept.
 *
 * Source: Croce, Andriushchenko, Singh, Flammarion, Hein, "Sparse-RS: a versatile framework for query-efficient sparse
 * black-box adversarial attacks", AAAI 2022, section 5.1 (image-specific patches and locations).
 *
 * @throws TypeError when the threat model has no patch, or a norm other than L∞
 */
export const patchSearch: Attack<PatchSearchOptions> = {
  name: 'patch-search',
  async run(classifier, samples, threat, { queries }, context) {
    if (threat.patch === undefined || threat.norm !== 'linf') {
      throw new TypeError('expected a threat model with a patch, in the norm linf');
    }
    const { patch } = threat;
    const search = openSearch(classifier, samples, threat, context);
    await lookAtOriginals(search, (batch, points) => ask(search, batch, points));
    const standing = stillStanding(search);
    let done = 0;
    for (const batch of batchesOf(standing, context.batchSize)) {
      let walkers = batch.map((index): Walker => ({ index, margin: Number.NEGATIVE_INFINITY }));
      for (let query = 0; query < queries && walkers.length > 0; query++) {
        context.signal?.throwIfAborted();
        const tried = walkers.map(({ index, kept }) => {
          const stream = randomStream(context.seed, samples.ids[index]!, 'patch-search', 0, query);
          if (!kept) return firstFilling(search, patch, stream);
          const moves = query % MOVE_EVERY === 0;
          return moves
            ? { ...kept, at: moved(patch, kept.at, stream, 1 - query / queries) }
            : { ...kept, faces: repainted(patch, kept.faces, stream, shareAt(query, queries)) };
        });
        const points = walkers.map(({ index }, row) => pasted(search, patch, index, tried[row]!));
        const margins = await ask(
          search,
          walkers.map(({ index }) => index),
          joinRows(search.size, points),
        );
        walkers.forEach((walker, row) => {
          if (walker.kept && !(margins[row]! > walker.margin)) return;
          walker.kept = tried[row]!;
          walker.margin = margins[row]!;
        });
        walkers = walkers.filter(({ index }) => search.success[index] === 0);
        context.onProgress?.((done + (batch.length * (query + 1)) / queries) / standing.length);
      }
      done += batch.length;
    }
    return ended(search);
  },
};

/** A patch: where it lies, and to which end of the range each of its values is set, channel by channel. */
interface Filling {
  readonly at: Location;
  readonly faces: Uint8Array;
}

interface Walker {
  readonly index: number;
  kept?: Filling;
  margin: number;
}

/** Vertical stripes, as those that the Square attack begins with. */
function firstFilling({ size }: Search, { height, width, image }: Patch, stream: RandomStream): Filling {
  const channels = Math.floor(size / (image.height * image.width));
  const columns = Array.from({ length: channels * width }, () => stream.uint32() & 1);
  return {
    at: { x: stream.integer(image.width - width + 1), y: stream.integer(image.height - height + 1) },
    faces: Uint8Array.from(
      { length: channels * height * width },
      (_, i) => columns[Math.floor(i / (height * width)) * width + (i % width)]!,
    ),
  };
}

/** By at most this share of the way that there is, on each axis. */
function moved({ height, width, image }: Patch, at: Location, stream: RandomStream, share: number): Location {
  const along = (from: number, room: number): number => {
    const reach = Math.max(1, Math.round(share * room));
    return Math.min(room, Math.max(0, from + stream.integer(2 * reach + 1) - reach));
  };
  return { x: along(at.x, image.width - width), y: along(at.y, image.height - height) };
}

/** One square of the patch, of this share of its area, to one end of the range a channel. */
function repainted(
  { height, width }: Patch,
  faces: Uint8Array,
  stream: RandomStream,
  share: number,
): Uint8Array {
  const side = Math.max(1, Math.round(Math.sqrt(share * height * width)));
  const [high, wide] = [Math.min(side, height), Math.min(side, width)];
  const [top, left] = [stream.integer(height - high + 1), stream.integer(width - wide + 1)];
  const painted = faces.slice();
  const area = height * width;
  for (let channel = 0; channel * area < faces.length; channel++) {
    const face = stream.uint32() & 1;
    for (let row = top; row < top + high; row++) {
      painted.fill(face, channel * area + row * width + left, channel * area + row * width + left + wide);
    }
  }
  return painted;
}

function pasted(
  { samples, box, size }: Search,
  patch: Patch,
  index: number,
  { at, faces }: Filling,
): Float32Array {
  const point = samples.inputs.slice(index * size, (index + 1) * size);
  for (const [cell, i] of covered(patch, at, size).entries()) {
    point[i] = (faces[cell] ? box.upper : box.lower)[index * size + i]!;
  }
  return point;
}

async function ask(
  search: Search,
  indices: readonly number[],
  points: Float32Array,
): Promise<readonly number[]> {
  const { classifier, samples } = search;
  const { classes } = classifier;
  const logits = await classifier.logits(points, indices.length);
  const margins = indices.map((index, row) =>
    margin(logits.subarray(row * classes, (row + 1) * classes), samples.labels[index]!),
  );
  keepStronger(search, indices, points, margins, logits);
  return margins;
}
