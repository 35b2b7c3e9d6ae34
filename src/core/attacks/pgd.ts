import { randomStream } from '../random/index.js';
import type { Attack, AttackContext, Classifier, Samples, ThreatModel } from './attack.js';
import { batchesOf, gatherRows } from './batches.js';
import { predictedClass } from './predict.js';
import { allowedBox, type Box } from './threat-model.js';

export interface PgdOptions {
  /** Gradient steps of one restart. */
  readonly steps: number;
  /** Random starts; each later one attacks only what is still standing. */
  readonly restarts: number;
  /** L∞ length of one step, in the units that the model sees. */
  readonly stepSize: number;
}

/**
 * Projected gradient descent on the cross-entropy, from random starts, in sign steps. Every iterate is looked at, so a
 * sample is broken as soon as any of them is misclassified; of an unbroken one the iterate with the largest loss is kept.
 * A sample that the model gets wrong as it is counts as broken by itself.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks",
 * ICLR 2018, section 2.1.
 */
export const pgd: Attack<PgdOptions> = {
  name: 'pgd',
  async run(classifier, samples, threat, options, context) {
    const size = threat.minimum.length;
    const search: Search = {
      classifier,
      samples,
      threat,
      options,
      context,
      size,
      box: allowedBox(samples, threat),
      adversarial: samples.inputs.slice(),
      success: new Uint8Array(samples.ids.length),
      largestLoss: new Float64Array(samples.ids.length).fill(Number.NEGATIVE_INFINITY),
    };
    const everyone = [...samples.ids.keys()];
    for (const batch of batchesOf(everyone, context.batchSize)) {
      context.signal?.throwIfAborted();
      await look(search, batch, gatherRows(samples.inputs, size, batch));
    }
    for (let restart = 0; restart < options.restarts; restart++) {
      const standing = everyone.filter((index) => search.success[index] === 0);
      let done = 0;
      for (const batch of batchesOf(standing, context.batchSize)) {
        await climb(search, restart, batch);
        done += batch.length;
        context.onProgress?.((restart + done / standing.length) / options.restarts);
      }
    }
    context.onProgress?.(1);
    return { adversarial: search.adversarial, success: search.success };
  },
};

interface Search {
  readonly classifier: Classifier;
  readonly samples: Samples;
  readonly threat: ThreatModel;
  readonly options: PgdOptions;
  readonly context: AttackContext;
  readonly size: number;
  readonly box: Box;
  readonly adversarial: Float32Array;
  readonly success: Uint8Array;
  readonly largestLoss: Float64Array;
}

async function climb(search: Search, restart: number, batch: readonly number[]): Promise<void> {
  const { options, context, size } = search;
  let standing = batch;
  let points: Float32Array = new Float32Array(batch.length * size);
  batch.forEach((index, row) => {
    points.set(randomStart(search, index, restart), row * size);
  });
  for (let iteration = 0; iteration <= options.steps && standing.length > 0; iteration++) {
    context.signal?.throwIfAborted();
    const gradient = await look(search, standing, points);
    const rows = standing.flatMap((index, row) => (search.success[index] === 0 ? [row] : []));
    const next = gatherRows(points, size, rows);
    rows.forEach((row, position) => {
      for (let i = 0; i < size; i++) {
        const at = standing[row]! * size + i;
        const moved = next[position * size + i]! + options.stepSize * signOrZero(gradient[row * size + i]!);
        next[position * size + i] = Math.min(
          search.box.upper[at]!,
          Math.max(search.box.lower[at]!, Math.fround(moved)),
        );
      }
    });
    standing = rows.map((row) => standing[row]!);
    points = next;
  }
}

/** Runs the model on one point a sample and keeps each point that is stronger than what its sample had. */
async function look(
  { classifier, samples, size, adversarial, success, largestLoss }: Search,
  indices: readonly number[],
  points: Float32Array,
): Promise<Float32Array> {
  const labels = Uint32Array.from(indices, (index) => samples.labels[index]!);
  const { loss, gradient, logits } = await classifier.lossGradient(points, labels, indices.length);
  indices.forEach((index, row) => {
    const broken = predictedClass(logits, classifier.classes, row) !== labels[row];
    if (!broken && !(loss[row]! > largestLoss[index]!)) return;
    if (broken) success[index] = 1;
    largestLoss[index] = loss[row]!;
    adversarial.set(points.subarray(row * size, (row + 1) * size), index * size);
  });
  return gradient;
}

/** A uniform point of the ball, moved into the valid range. */
function randomStart({ samples, threat, context, size, box }: Search, index: number, restart: number) {
  const stream = randomStream(context.seed, samples.ids[index]!, 'pgd', restart, 0);
  return Float32Array.from({ length: size }, (_, i) => {
    const at = index * size + i;
    const drawn = samples.inputs[at]! + (2 * stream.uniform() - 1) * threat.epsilon;
    return Math.min(box.upper[at]!, Math.max(box.lower[at]!, Math.fround(drawn)));
  });
}

/** A gradient that is not a number says nothing, like one that is zero. */
function signOrZero(value: number): number {
  return Number.isNaN(value) ? 0 : Math.sign(value);
}
