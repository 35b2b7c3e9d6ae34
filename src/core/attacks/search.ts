import { randomStream } from '../random/index.js';
import type { AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
import { batchesOf, gatherRows } from './batches.js';
import { distance } from './distance.js';
import { isMisclassified } from './predict.js';
import { feasible, project, type Reach } from './projection.js';
import { allowedBox, insideThreatModel } from './threat-model.js';

/** Steps at the end of the last restart in which the loss should hardly rise any more. */
export const LATE_STEPS = 10;

/** An iterative attack under way: what it works on, and the strongest input that it has found of each sample. */
export interface Search extends Reach {
  readonly classifier: Classifier;
  readonly context: AttackContext;
  readonly adversarial: Float32Array;
  readonly success: Uint8Array;
  readonly largestLoss: Float64Array;
  readonly lateRise: Float64Array;
}

/** @throws RefusedError `data-refused` when a sample lies outside the valid range */
export function openSearch(
  classifier: Classifier,
  samples: Samples,
  threat: ThreatModel,
  context: AttackContext,
): Search {
  return {
    classifier,
    samples,
    threat,
    context,
    size: threat.minimum.length,
    box: allowedBox(samples, threat),
    adversarial: samples.inputs.slice(),
    success: new Uint8Array(samples.ids.length),
    largestLoss: new Float64Array(samples.ids.length).fill(Number.NEGATIVE_INFINITY),
    lateRise: new Float64Array(samples.ids.length).fill(Number.NaN),
  };
}

/** {@link feasible} of one point a sample, row-major. */
export function feasibleRows(reach: Reach, indices: readonly number[], points: Float32Array): Float32Array {
  if (!reach.threat.constraints) return points;
  const { size } = reach;
  const rounded = new Float32Array(points.length);
  indices.forEach((index, row) => {
    rounded.set(feasible(reach, index, points.subarray(row * size, (row + 1) * size)), row * size);
  });
  return rounded;
}

/**
 * Keeps each point that breaks its sample, or comes closer to it than any before. Under constraints, whatever breaks one is
 * no point, however an attack came by it.
 *
 * @param indices - samples
 * @param points - one a sample, row-major
 * @param losses - of the points: the larger, the closer to a misclassification
 * @param logits - of the points
 */
export function keepStronger(
  { classifier, samples, threat, size, adversarial, success, largestLoss }: Search,
  indices: readonly number[],
  points: Float32Array,
  losses: ArrayLike<number>,
  logits: Float32Array,
): void {
  indices.forEach((index, row) => {
    const broken = isMisclassified(classifier, logits, row, samples.labels[index]!);
    if (!broken && !(losses[row]! > largestLoss[index]!)) return;
    const point = points.subarray(row * size, (row + 1) * size);
    const original = samples.inputs.subarray(index * size, (index + 1) * size);
    if ((threat.constraints || threat.patch) && !insideThreatModel(original, point, threat)) return;
    if (broken) success[index] = 1;
    largestLoss[index] = losses[row]!;
    adversarial.set(point, index * size);
  });
}

/** Looks at every sample as it is: what the model gets wrong by itself counts as broken. */
export async function lookAtOriginals(
  { samples, size, context }: Search,
  look: (batch: readonly number[], points: Float32Array) => Promise<unknown>,
): Promise<void> {
  for (const batch of batchesOf([...samples.ids.keys()], context.batchSize)) {
    context.signal?.throwIfAborted();
    await look(batch, gatherRows(samples.inputs, size, batch));
  }
}

/** The samples that nothing has broken yet. */
export function stillStanding({ success }: Search): readonly number[] {
  return [...success.keys()].filter((index) => success[index] === 0);
}

/** Climbs from every start again, each time with the samples that are still standing, batch by batch. */
export async function climbInRestarts(
  search: Search,
  restarts: number,
  climb: (batch: readonly number[], restart: number) => Promise<void>,
): Promise<AttackResult> {
  const { context } = search;
  for (let restart = 0; restart < restarts; restart++) {
    const standing = stillStanding(search);
    let done = 0;
    for (const batch of batchesOf(standing, context.batchSize)) {
      await climb(batch, restart);
      done += batch.length;
      context.onProgress?.((restart + done / standing.length) / restarts);
    }
  }
  return ended(search);
}

/** The result of an attack that has run to its end. */
export function ended({ context, adversarial, success, lateRise }: Search): AttackResult {
  context.onProgress?.(1);
  return {
    adversarial,
    success,
    lateRise: lateRise.map((rise, index) => (success[index] ? Number.NaN : rise)),
  };
}

/**
 * A uniform point of the ball, moved into the valid range; the same for the same attack, sample and restart.
 *
 * Source of the draws: Barthe, Guédon, Mendelson, Naor, "A probabilistic approach to the geometry of the ℓp-ball", 2005:
 * normal and Laplace draws, shortened to a radius that is uniform in volume.
 */
export function uniformStart(search: Search, attack: string, index: number, restart: number): Float32Array {
  const { samples, threat, context, size } = search;
  const stream = randomStream(context.seed, samples.ids[index]!, attack, restart, 0);
  const moves = Float64Array.from({ length: size }, () => {
    if (threat.norm === 'linf') return 2 * stream.uniform() - 1;
    if (threat.norm === 'l2') return stream.normal();
    const sign = stream.uint32() & 1 ? 1 : -1;
    return sign * -Math.log(1 - stream.uniform());
  });
  const length = distance(threat.norm, moves, new Float64Array(size)) || 1;
  const radius =
    threat.norm === 'linf' ? threat.epsilon : (threat.epsilon * stream.uniform() ** (1 / size)) / length;
  return project(
    search,
    index,
    moves.map((move, i) => samples.inputs[index * size + i]! + radius * move),
  );
}
