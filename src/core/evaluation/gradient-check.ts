import type { Classifier, Samples } from '../attacks/index.js';
import { type RandomStream, randomStream } from '../random/index.js';

/** Random directions that each gradient is compared along. */
const DIRECTIONS = 32;
/** Steps of the finite differences, in parts of the valid range, the longest first. */
const STEPS = [1e-2, 1e-3, 1e-4] as const;

/** The input values that may be looked at. */
interface ValidRange {
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
}

/**
 * Compares one sample's gradient with finite differences of the loss, and so tells whether an attack that follows the
 * gradient climbs the function that is served.
 *
 * Finite differences of a float32 model are blunt, and a whole gradient costs two runs a value. So both are projected on
 * random directions (± each value's range), the loss is taken in float64 from the logits in a form that keeps its
 * relative precision however confident the model is, and of several step lengths the best one counts: a right gradient
 * agrees at some length between rounding and kinks, a wrong one at none. The point is moved off the faces of the valid
 * range first, where models that clip their input have kinks.
 *
 * @returns the cosine of the two projected gradients, or null where either of them vanishes
 */
export async function gradientCosine(
  classifier: Classifier,
  samples: Samples,
  index: number,
  range: ValidRange,
  seed: number,
): Promise<number | null> {
  const size = range.minimum.length;
  const label = samples.labels[index]!;
  const width = Float64Array.from(range.maximum, (high, i) => high - range.minimum[i]!);
  const point = Float32Array.from(width, (span, i) =>
    Math.min(
      range.maximum[i]! - STEPS[0] * span,
      Math.max(range.minimum[i]! + STEPS[0] * span, samples.inputs[index * size + i]!),
    ),
  );
  const stream = randomStream(seed, samples.ids[index]!, 'gradient-check');
  const directions = Array.from({ length: DIRECTIONS }, () => randomSigns(stream, width));
  const { gradient } = await classifier.lossGradient(point, Uint32Array.of(label), 1);
  const slopes = directions.map((direction) => dot(gradient, direction));

  let best: number | null = null;
  for (const step of STEPS) {
    const probes = new Float32Array(2 * DIRECTIONS * size);
    directions.forEach((direction, d) => {
      for (let i = 0; i < size; i++) {
        probes[2 * d * size + i] = point[i]! + step * direction[i]!;
        probes[(2 * d + 1) * size + i] = point[i]! - step * direction[i]!;
      }
    });
    const logits = await classifier.logits(probes, 2 * DIRECTIONS);
    const differences = directions.map(
      (_, d) =>
        crossEntropy(logits, classifier.classes, 2 * d, label) -
        crossEntropy(logits, classifier.classes, 2 * d + 1, label),
    );
    const agreement = cosine(slopes, differences);
    if (agreement !== null && (best === null || agreement > best)) best = agreement;
  }
  return best;
}

/** −log softmax in float64; `log1p` keeps it precise where the label's probability is all but 1. */
function crossEntropy(logits: Float32Array, classes: number, row: number, label: number): number {
  const own = logits[row * classes + label]!;
  const margins: number[] = [];
  for (let c = 0; c < classes; c++) if (c !== label) margins.push(logits[row * classes + c]! - own);
  const largest = Math.max(0, ...margins);
  if (largest === 0) return Math.log1p(margins.reduce((sum, margin) => sum + Math.exp(margin), 0));
  const others = margins.reduce((sum, margin) => sum + Math.exp(margin - largest), 0);
  return largest + Math.log(others + Math.exp(-largest));
}

function randomSigns(stream: RandomStream, width: Float64Array): Float64Array {
  return width.map((span) => (stream.uint32() & 1 ? span : -span));
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i]! * other[i]!;
  return sum;
}

/** Scaled before it is squared: gradients of 1e-200 are as good as any. */
function cosine(one: readonly number[], other: readonly number[]): number | null {
  const [left, right] = [one, other].map((vector) => {
    const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return largest > 0 && Number.isFinite(largest) ? vector.map((value) => value / largest) : undefined;
  });
  if (!left || !right) return null;
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}
