import {
  type AttackResult,
  type Classifier,
  covered,
  locationsOf,
  nearestAllowed,
  type Samples,
  type ThreatModel,
} from '../attacks/index.js';
import { type RandomStream, randomStream } from '../random/index.js';
import { crossEntropyReader } from './planted-reader.js';

/** Points drawn near the sample, which the reading of the logits must tell from the planted one. */
const INNER = 64;
/** Points drawn at the ball's surface, of which the one that stands out most is planted. */
const OUTER = 256;
/** Radius within which the inner points are drawn, in parts of the ball's. */
const INNER_RADIUS = 0.5;
/** Where between the highest inner point and the planted one the reading changes its class. */
const HARDNESS = 0.99;
/** Share of the radius that rounding may not cost. */
const INSIDE = 1 - 1e-5;

export interface PlantedSearch {
  readonly built: boolean;
  readonly found: boolean;
  readonly foundAtRandom: boolean;
}

/**
 * The binarization test: out of the model's logits a two-class model is read, by a direction and a threshold, that calls
 * points near the sample "inside" and a point planted near the ball's surface "outside". So an adversarial example exists
 * by construction, and an attack that does not find one has no power against this model, whatever the model is. Points
 * drawn at random are tried too: where they find one as well, it was no hard test.
 *
 * Source: Zimmermann, Brendel, Tramèr, Carlini, "Increasing confidence in adversarial robustness evaluations", NeurIPS
 * 2022, section 4; here the features are the logits, one point is planted, and the direction is from the mean of the
 * inner points to it.
 *
 * @param one - a single sample
 * @param attack - runs on the two-class model, whose class 0 is "inside"
 */
export async function searchPlanted(
  classifier: Classifier,
  one: Samples,
  threat: ThreatModel,
  seed: number,
  attack: (reader: Classifier, sample: Samples) => Promise<AttackResult>,
): Promise<PlantedSearch> {
  const { classes } = classifier;
  const size = threat.minimum.length;
  const draw = async (name: string, count: number, inner: number): Promise<Float32Array> => {
    const stream = randomStream(seed, one.ids[0]!, 'planted', name);
    const points = new Float32Array(count * size);
    for (let row = 0; row < count; row++) {
      const radius = row < inner ? INNER_RADIUS * stream.uniform() : 1;
      const point = pointAt(one.inputs, threat, radius, stream);
      // An example that cannot be sent is no weakness.
      points.set(threat.constraints ? nearestAllowed(one, threat, point) : point, row * size);
    }
    return classifier.logits(points, count);
  };
  const drawn = await draw('points', INNER + OUTER, INNER);
  const row = (index: number): Float32Array => drawn.subarray(index * classes, (index + 1) * classes);
  const inner = Array.from({ length: INNER }, (_, i) => row(i));
  const middle = Float64Array.from({ length: classes }, (_, c) =>
    inner.reduce((sum, logits) => sum + logits[c]! / INNER, 0),
  );

  let best:
    | { readonly direction: Float64Array; readonly threshold: number; readonly ratio: number }
    | undefined;
  for (let i = INNER; i < INNER + OUTER; i++) {
    const direction = Float64Array.from(row(i), (value, c) => value - middle[c]!);
    const height = (logits: ArrayLike<number>): number =>
      direction.reduce((sum, weight, c) => sum + weight * (logits[c]! - middle[c]!), 0);
    const highest = inner.reduce((most, logits) => Math.max(most, height(logits)), Number.NEGATIVE_INFINITY);
    const planted = height(row(i));
    const ratio = (planted - highest) / planted;
    if (!(ratio > 1e-3) || (best && ratio <= best.ratio)) continue;
    const level = highest + HARDNESS * (planted - highest);
    const offset = direction.reduce((sum, weight, c) => sum + weight * middle[c]!, 0);
    best = { direction, threshold: level + offset, ratio };
  }
  if (best === undefined) return { built: false, found: false, foundAtRandom: false };

  const reader = crossEntropyReader(classifier, best.direction, best.threshold);
  const target = { ...one, labels: new Uint32Array(1) };
  const { success } = await attack(reader, target);
  const guesses = await draw('guesses', INNER, 0);
  const { direction, threshold } = best;
  const foundAtRandom = Array.from({ length: INNER }, (_, i) =>
    direction.reduce((sum, weight, c) => sum + weight * guesses[i * classes + c]!, 0),
  ).some((height) => height > threshold);
  return { built: true, found: success[0] === 1, foundAtRandom };
}

/**
 * A random point at this share of the ball's radius, moved into the valid range: at a corner, in L∞. Under a patch, it differs
 * in one rectangle.
 */
function pointAt(
  sample: Float32Array,
  { norm, epsilon, minimum, maximum, patch }: ThreatModel,
  radius: number,
  stream: RandomStream,
): Float32Array {
  const direction = Float64Array.from(sample, () => {
    if (norm === 'linf') return stream.uint32() & 1 ? 1 : -1;
    return norm === 'l2' ? stream.normal() : Math.log(1 - stream.uniform()) * (stream.uint32() & 1 ? 1 : -1);
  });
  const length = {
    linf: 1,
    l2: Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0)),
    l1: direction.reduce((sum, value) => sum + Math.abs(value), 0),
  }[norm];
  const scale = (radius * epsilon * INSIDE) / length;
  const places = patch && locationsOf(patch);
  const open = places && new Set(covered(patch, places[stream.integer(places.length)]!, sample.length));
  return sample.map((value, i) =>
    open && !open.has(i)
      ? value
      : Math.min(maximum[i]!, Math.max(minimum[i]!, value + scale * direction[i]!)),
  );
}
