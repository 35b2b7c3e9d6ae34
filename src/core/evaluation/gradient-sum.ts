import {
  type Classifier,
  NO_CLASS,
  predictedClass,
  type Samples,
  type ThreatModel,
} from '../attacks/index.js';
import { randomStream } from '../random/index.js';

/** Stretches into which the way is cut. */
const STRETCHES = 128;

/**
 * Walks straight from a sample to a random point of the valid range, and tells how much of what a difference of two logits
 * does on the way its gradients do not account for. Whatever bends without a jump is the sum of its own gradients. Of a
 * model whose answers jump (votes, rounding, a memory of known samples), gradients see the slopes between jumps alone,
 * however right they are there; and an attack that follows them is led by slopes that decide nothing.
 *
 * Each stretch's change is compared with the mean gradient of its ends, and the differences are added up without their
 * signs, in parts of all changes added up the same way: 0 where gradients account for everything, 1 where they are zero.
 * The difference is that of the class at the far end and the label; where they are the same, of the runner-up there.
 *
 * Source: the completeness of integrated gradients; Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks",
 * ICML 2017, section 3, proposition 1.
 *
 * @returns null where nothing changes on the way, or something is no number
 */
export async function unaccountedChange(
  classifier: Classifier,
  samples: Samples,
  index: number,
  { minimum, maximum }: ThreatModel,
  seed: number,
): Promise<number | null> {
  const { classes } = classifier;
  const size = minimum.length;
  const label = samples.labels[index]!;
  const stream = randomStream(seed, samples.ids[index]!, 'gradient-sum');
  const start = samples.inputs.subarray(index * size, (index + 1) * size);
  const end = start.map((_, i) => minimum[i]! + (maximum[i]! - minimum[i]!) * stream.uniform());
  const points = new Float32Array((STRETCHES + 1) * size);
  for (let at = 0; at <= STRETCHES; at++) {
    const share = at / STRETCHES;
    for (let i = 0; i < size; i++) points[at * size + i] = start[i]! + share * (end[i]! - start[i]!);
  }
  const logits = await classifier.logits(points, STRETCHES + 1);
  const rival = rivalAt(logits, classes, STRETCHES, label);
  if (rival === undefined) return null;
  const weights = new Float32Array((STRETCHES + 1) * classes);
  for (let at = 0; at <= STRETCHES; at++) {
    weights[at * classes + rival] = 1;
    weights[at * classes + label] = -1;
  }
  const gradient = await classifier.logitGradient(points, weights, STRETCHES + 1);
  const difference = (at: number): number => logits[at * classes + rival]! - logits[at * classes + label]!;
  let total = 0;
  let unaccounted = 0;
  for (let at = 0; at < STRETCHES; at++) {
    let accounted = 0;
    for (let i = at * size; i < (at + 1) * size; i++) {
      accounted += ((gradient[i]! + gradient[i + size]!) / 2) * (points[i + size]! - points[i]!);
    }
    const change = difference(at + 1) - difference(at);
    total += Math.abs(change);
    unaccounted += Math.abs(change - accounted);
  }
  const share = unaccounted / total;
  return Number.isFinite(share) ? share : null;
}

/** The class that a row predicts; the next best where that is the label. */
function rivalAt(logits: Float32Array, classes: number, row: number, label: number): number | undefined {
  const own = logits.slice(row * classes, (row + 1) * classes);
  const predicted = predictedClass(own, classes);
  if (predicted === NO_CLASS) return undefined;
  if (predicted !== label) return predicted;
  return [...own.keys()]
    .filter((c) => c !== label)
    .reduce((best, c) => (own[c]! > own[best]! ? c : best), label === 0 ? 1 : 0);
}
