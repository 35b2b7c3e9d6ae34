import { type RandomStream, randomStream } from '../random/index.js';
import type { Attack } from './attack.js';
import { batchesOf, gatherRows } from './batches.js';
import { margin } from './losses.js';
import {
  ended,
  feasibleRows,
  keepStronger,
  lookAtOriginals,
  openSearch,
  type Search,
  stillStanding,
} from './search.js';
import { drawTiles, type Grid, moveWindow } from './square-windows.js';

export interface SquareOptions {
  /** Points of each sample that the model is asked about, beside the sample itself. */
  readonly queries: number;
}

/** Share of a sample that the first squares cover, as the authors and AutoAttack set it. */
const FIRST_SHARE = 0.8;
/** The share is halved after each of these queries of 10,000, scaled to the queries there are. */
const HALVINGS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000] as const;

/**
 * The Square attack: random search by the margin, asking for nothing but logits, so that no trick with gradients can stop
 * it. It starts from vertical stripes on the faces of the ball; then each query moves one square, every channel to a face
 * of its own, and keeps what lowers the margin.
 *
 * The last two axes of a sample are its height and width; a sample of one axis is an image of height 1, and its squares
 * are runs of values. In an L2 or L1 ball, windows with a peak and a trough take the place of squares.
 *
 * Source: Andriushchenko, Croce, Flammarion, Hein, "Square Attack: a query-efficient black-box adversarial attack via
 * random search", ECCV 2020, sections 3.2 and 3.3.
 */
export const square: Attack<SquareOptions> = {
  name: 'square',
  async run(classifier, samples, threat, { queries }, context) {
    const search = openSearch(classifier, samples, threat, context);
    await lookAtOriginals(search, (batch, points) => ask(search, batch, points));
    // The search begins at its stripes, even where they are further from a misclassification than the sample itself.
    search.largestLoss.fill(Number.NEGATIVE_INFINITY);
    const grid = gridOf(classifier.shape);
    const standing = stillStanding(search);
    let done = 0;
    for (const batch of batchesOf(standing, context.batchSize)) {
      for (let query = 0; query < queries; query++) {
        const left = batch.filter((index) => search.success[index] === 0);
        if (left.length === 0) break;
        context.signal?.throwIfAborted();
        const points = gatherRows(search.adversarial, search.size, left);
        left.forEach((index, row) => {
          const point = points.subarray(row * search.size, (row + 1) * search.size);
          const stream = randomStream(context.seed, samples.ids[index]!, 'square', 0, query);
          const share = shareAt(query, queries);
          if (threat.norm === 'linf') {
            if (query === 0) drawStripes(search, grid, index, point, stream);
            else drawSquare(search, grid, index, point, stream, share);
          } else {
            const next =
              query === 0
                ? drawTiles(search, grid, index, stream)
                : moveWindow(search, grid, index, point, stream, share);
            point.set(next);
          }
        });
        await ask(search, left, points);
        context.onProgress?.((done + (batch.length * (query + 1)) / queries) / standing.length);
      }
      done += batch.length;
    }
    return ended(search);
  },
};

function gridOf(shape: readonly number[]): Grid {
  const [height, width] = [1, 1, ...shape].slice(-2) as [number, number];
  return { channels: shape.slice(0, -2).reduce((product, axis) => product * axis, 1), height, width };
}

/** Share of a sample that the square of one query covers. */
export function shareAt(query: number, queries: number): number {
  const of10000 = Math.floor((query / queries) * 10_000);
  return FIRST_SHARE / 2 ** HALVINGS.filter((after) => of10000 > after).length;
}

async function ask(search: Search, indices: readonly number[], drawn: Float32Array): Promise<void> {
  const { classifier, samples } = search;
  const { classes } = classifier;
  const points = feasibleRows(search, indices, drawn);
  const logits = await classifier.logits(points, indices.length);
  const margins = indices.map((index, row) =>
    margin(logits.subarray(row * classes, (row + 1) * classes), samples.labels[index]!),
  );
  keepStronger(search, indices, points, margins, logits);
}

/** Every column of every channel to one face of the ball. */
function drawStripes(search: Search, grid: Grid, index: number, point: Float32Array, stream: RandomStream) {
  for (let channel = 0; channel < grid.channels; channel++) {
    for (let x = 0; x < grid.width; x++) {
      paint(search, grid, index, point, stream, { channel, x, y: 0, width: 1, height: grid.height });
    }
  }
}

function drawSquare(
  search: Search,
  grid: Grid,
  index: number,
  point: Float32Array,
  stream: RandomStream,
  share: number,
) {
  const area = share * grid.height * grid.width;
  const side = Math.max(1, Math.round(grid.height === 1 ? area : Math.sqrt(area)));
  const width = Math.min(side, grid.width);
  const height = Math.min(side, grid.height);
  const x = stream.integer(grid.width - width + 1);
  const y = stream.integer(grid.height - height + 1);
  for (let channel = 0; channel < grid.channels; channel++) {
    paint(search, grid, index, point, stream, { channel, x, y, width, height });
  }
}

interface Rectangle {
  readonly channel: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Moves a rectangle to the face of the ball that the next draw says. */
function paint(
  { box, size }: Search,
  grid: Grid,
  index: number,
  point: Float32Array,
  stream: RandomStream,
  { channel, x, y, width, height }: Rectangle,
) {
  const face = stream.uint32() & 1 ? box.upper : box.lower;
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      const at = (channel * grid.height + row) * grid.width + column;
      point[at] = face[index * size + at]!;
    }
  }
}
