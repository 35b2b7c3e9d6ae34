import type { RandomStream } from '../random/index.js';
import { distance } from './distance.js';
import { furthest, project, type Reach } from './projection.js';

/** A sample as planes of pixels. */
export interface Grid {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Tiles along each side of the first point. */
const TILES = 5;
const SMALLEST_SIDE = 3;
/** How fast a peak falls off: the exponent of its rings, by the power of the norm. */
const STEEPNESS = { 1: 4, 2: 2 } as const;

/**
 * The first point of the Square attack in an L2 or L1 ball: tiles, each with a peak and a trough, of either sign.
 *
 * Source: Andriushchenko, Croce, Flammarion, Hein, ECCV 2020, section 3.4; for L1, Croce, Hein, ICML 2021, section 5.
 */
export function drawTiles(reach: Reach, grid: Grid, index: number, stream: RandomStream): Float32Array {
  const moves = new Float64Array(reach.size);
  const width = Math.max(1, Math.floor(grid.width / TILES));
  const height = Math.max(1, Math.floor(grid.height / TILES));
  for (let y = 0; y + height <= grid.height; y += height) {
    for (let x = 0; x + width <= grid.width; x += width) {
      const pattern = peakAndTrough(reach, height, width, stream);
      for (let channel = 0; channel < grid.channels; channel++) {
        const sign = stream.uint32() & 1 ? 1 : -1;
        forEachPixel(grid, channel, { x, y, width, height }, (at, i) => {
          moves[at] = sign * pattern[i]!;
        });
      }
    }
  }
  return stretched(reach, index, moves);
}

/**
 * Another point: what one window and a second one hold of the ball's radius, and what nothing holds yet, all goes into the
 * first, where a peak and a trough of either sign are added; the second is left as the sample was.
 *
 * @param point - the best so far
 * @param share - of the pixels that a window covers
 */
export function moveWindow(
  reach: Reach,
  grid: Grid,
  index: number,
  point: Float32Array,
  stream: RandomStream,
  share: number,
): Float32Array {
  const { samples, threat, size } = reach;
  const power = threat.norm === 'l2' ? 2 : 1;
  const moves = Float64Array.from(point, (value, i) => value - samples.inputs[index * size + i]!);
  const free = Math.max(0, threat.epsilon ** power - sumOf(moves, power)) / grid.channels;
  const area = share * grid.height * grid.width;
  const side = Math.max(SMALLEST_SIDE, Math.round(grid.height === 1 ? area : Math.sqrt(area))) | 1;
  const width = Math.min(side, grid.width);
  const height = Math.min(side, grid.height);
  const place = (): Window => ({
    x: stream.integer(grid.width - width + 1),
    y: stream.integer(grid.height - height + 1),
    width,
    height,
  });
  const [kept, emptied] = [place(), place()];
  const pattern = peakAndTrough(reach, height, width, stream);
  for (let channel = 0; channel < grid.channels; channel++) {
    const sign = stream.uint32() & 1 ? 1 : -1;
    const old = new Float64Array(pattern.length);
    let held = 0;
    forEachPixel(grid, channel, kept, (at, i) => {
      old[i] = moves[at]!;
      moves[at] = 0;
    });
    forEachPixel(grid, channel, emptied, (at) => {
      held += Math.abs(moves[at]!) ** power;
      moves[at] = 0;
    });
    held += sumOf(old, power);
    const oldLength = sumOf(old, power) ** (1 / power) || 1;
    const mixed = old.map((move, i) => move / oldLength + sign * pattern[i]!);
    const factor = (held + free) ** (1 / power) / (sumOf(mixed, power) ** (1 / power) || 1);
    forEachPixel(grid, channel, kept, (at, i) => {
      moves[at] = factor * mixed[i]!;
    });
  }
  return stretched(reach, index, moves);
}

/** As far along the moves as the ball and the valid range allow (L2), or as the moves themselves go (L1). */
function stretched(reach: Reach, index: number, moves: Float64Array): Float32Array {
  const { samples, threat, size } = reach;
  if (threat.norm === 'l2') return furthest(reach, index, moves);
  const length = distance(threat.norm, moves, new Float64Array(size)) || 1;
  return project(
    reach,
    index,
    moves.map((move, i) => samples.inputs[index * size + i]! + (move * threat.epsilon) / length),
  );
}

/** A window with a peak in one half and a trough in the other, split along a drawn axis; of length 1 in the norm. */
function peakAndTrough({ threat }: Reach, height: number, width: number, stream: RandomStream): Float64Array {
  const power = threat.norm === 'l2' ? 2 : 1;
  const upright = stream.uint32() & 1 ? height > 1 : width === 1;
  const values = new Float64Array(height * width);
  const length = upright ? height : width;
  const half = Math.floor(length / 2);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const along = upright ? y : x;
      const first = along < half;
      const span = first ? half : length - half;
      const offsets = [
        (first ? along : along - half) - Math.floor(span / 2),
        upright ? x - Math.floor(width / 2) : y - Math.floor(height / 2),
      ];
      const ring = Math.max(...offsets.map(Math.abs));
      const rings = Math.max(Math.floor(span / 2), Math.floor((upright ? width : height) / 2));
      let value = 0;
      for (let k = ring; k <= rings; k++) value += 1 / (k + 1) ** STEEPNESS[power];
      values[y * width + x] = first ? value : -value;
    }
  }
  const total = sumOf(values, power) ** (1 / power) || 1;
  return values.map((value) => value / total);
}

function sumOf(values: Float64Array, power: number): number {
  return values.reduce((sum, value) => sum + Math.abs(value) ** power, 0);
}

function forEachPixel(
  grid: Grid,
  channel: number,
  { x, y, width, height }: Window,
  visit: (at: number, i: number) => void,
): void {
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (channel * grid.height + y + row) * grid.width + x + column;
      visit(at, row * width + column);
    }
  }
}
