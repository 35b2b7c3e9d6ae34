import { randomStream } from '../random/index.js';
import type { AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
import { batchesOf, gatherRows } from './batches.js';
import { predictedClass } from './predict.js';
import { allowedBox, type Box } from './threat-model.js';

/** An iterative attack under way: what it works on, and the strongest input that it has found of each sample. */
export interface Search {
  readonly classifier: Classifier;
  readonly samples: Samples;
  readonly threat: ThreatModel;
  readonly context: AttackContext;
  /** Values of one sample. */
  readonly size: number;
  readonly box: Box;
  readonly adversarial: Float32Array;
  readonly success: Uint8Array;
  readonly largestLoss: Float64Array;
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
  };
}

/**
 * Keeps each point that breaks its sample, or comes closer to it than any before.
 *
 * @param indices - samples
 * @param points - one a sample, row-major
 * @param losses - of the points: the larger, the closer to a misclassification
 * @param logits - of the points
 */
export function keepStronger(
  { classifier, samples, size, adversarial, success, largestLoss }: Search,
  indices: readonly number[],
  points: Float32Array,
  losses: ArrayLike<number>,
  logits: Float32Array,
): void {
  indices.forEach((index, row) => {
    const broken = predictedClass(logits, classifier.classes, row) !== samples.labels[index];
    if (!broken && !(losses[row]! > largestLoss[index]!)) return;
    if (broken) success[index] = 1;
    largestLoss[index] = losses[row]!;
    adversarial.set(points.subarray(row * size, (row + 1) * size), index * size);
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
export function ended({ context, adversarial, success }: Search): AttackResult {
  context.onProgress?.(1);
  return { adversarial, success };
}

/** A uniform point of the ball, moved into the valid range; the same for the same attack, sample and restart. */
export function uniformStart(
  { samples, threat, context, size, box }: Search,
  attack: string,
  index: number,
  restart: number,
): Float32Array {
  const stream = randomStream(context.seed, samples.ids[index]!, attack, restart, 0);
  return Float32Array.from({ length: size }, (_, i) => {
    const at = index * size + i;
    const drawn = samples.inputs[at]! + (2 * stream.uniform() - 1) * threat.epsilon;
    return Math.min(box.upper[at]!, Math.max(box.lower[at]!, Math.fround(drawn)));
  });
}

/** A gradient that is not a number says nothing, like one that is zero. */
export function signOrZero(value: number): number {
  return Number.isNaN(value) ? 0 : Math.sign(value);
}
