import { RefusedError } from '../../errors/index.js';
import { clopperPearson } from '../../statistics/index.js';
import { type Projection, squaredDistance } from './projection.js';
import { type Reference, signs } from './signs.js';

/** What is known of honest requests: what they look like, and how often each sign shows in them at most. */
export interface Profile {
  readonly project: Projection;
  readonly reference: Reference;
  /** How many of a client's requests are remembered, to look for others like them. */
  readonly memory: number;
  /** By sign, in their order. */
  readonly rates: readonly number[];
}

/** Fewer honest samples do not tell how often a sign shows. */
const LEAST = 100;
const MEMORY = 512;
/** Of the interval whose upper end is taken for the honest rate. */
const CONFIDENCE = 0.98;

/**
 * Learns from honest samples that the model was not trained on what honest requests look like. How often a sign shows among them is
 * counted with each sample held out, and the upper end of its interval is taken.
 *
 * @param samples - row-major, one honest sample a row
 * @param margins - the model's largest probability less the second, for each
 * @throws RefusedError `inputs-mismatch` for fewer than 100 samples
 */
export function learnProfile(samples: Float32Array, margins: Float64Array, project: Projection): Profile {
  const count = margins.length;
  if (count < LEAST) {
    throw new RefusedError(
      'inputs-mismatch',
      `expected at least ${LEAST} validation samples to know honest requests by, got ${count}`,
    );
  }
  const size = samples.length / count;
  const points = Array.from({ length: count }, (_, i) => project(samples.subarray(i * size, (i + 1) * size)));
  const gaps = Float64Array.from(points, (point, i) =>
    points.reduce(
      (least, other, j) => (i === j ? least : Math.min(least, squaredDistance(point, other))),
      Number.POSITIVE_INFINITY,
    ),
  );
  const reference = { points, gaps: gaps.sort(), margins: margins.slice().sort() };
  const memory = Math.min(MEMORY, count - 1);
  const shown = signs.map(() => 0);
  points.forEach((point, i) => {
    const others = points.filter((_, j) => j !== i);
    const honest = { ...reference, points: others };
    signs.forEach((sign, s) => {
      if (sign.shows({ point, margin: margins[i]! }, others.slice(0, memory), honest)) shown[s]!++;
    });
  });
  const rates = shown.map((times) => clopperPearson(times, count, CONFIDENCE)[1]);
  return { project, reference, memory, rates };
}
