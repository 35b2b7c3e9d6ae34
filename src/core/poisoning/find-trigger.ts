import type { SuspectData } from './detector.js';

/** What a network says of inputs, row-major, and how its loss towards a class changes with each of them. */
export type AskLoss = (
  inputs: Float32Array,
  target: number,
) => Promise<{ readonly gradient: Float32Array; readonly logits: Float32Array }>;

export interface Trigger {
  /** Sum of the mask: how many inputs it changes. */
  readonly size: number;
  /** Share of the samples that it takes to the class. */
  readonly success: number;
}

const STEPS = 200;
const RATE = 0.1;
/** Samples that a trigger must take to the class, and how the weight of its size follows whether it does. */
const ENOUGH = 0.95;
const [FIRST_WEIGHT, FACTOR, PATIENCE] = [0.01, 1.5, 5];
const [BETA1, BETA2] = [0.5, 0.9];

/**
 * The smallest change found that takes samples to a class: a mask and a pattern, the same for all, which put
 * (1 − mask) · input + mask · pattern in place of each input; masks of pictures are the same for all channels. Adam on the
 * loss towards the class plus a weight times the mask's sum; the weight grows while the trigger works, and shrinks while it
 * does not.
 *
 * Source: Wang et al., "Neural Cleanse", S&P 2019, section 4.2.
 *
 * @param samples - row-major inputs of other classes
 */
export async function findTrigger(
  data: SuspectData,
  samples: Float32Array,
  target: number,
  ask: AskLoss,
): Promise<Trigger> {
  const { minimum, maximum, shape } = data;
  const size = minimum.length;
  const n = samples.length / size;
  const area = shape.length === 3 ? size / shape[0]! : size;
  // Both through a sigmoid, so that they stay in their ranges.
  const hiddenMask = new Float64Array(area).fill(-1);
  const hiddenPattern = new Float64Array(size);
  const optimizers = [adam(hiddenMask), adam(hiddenPattern)] as const;
  let weight = FIRST_WEIGHT;
  let [working, failing] = [0, 0];
  let best: Trigger | undefined;
  let last: Trigger = { size: area, success: 0 };
  const inputs = new Float32Array(samples.length);
  for (let step = 0; step < STEPS; step++) {
    const mask = hiddenMask.map(sigmoid);
    const pattern = hiddenPattern.map(
      (value, i) => minimum[i]! + sigmoid(value) * (maximum[i]! - minimum[i]!),
    );
    for (let at = 0; at < inputs.length; at++) {
      const i = at % size;
      const share = mask[i % area]!;
      inputs[at] = (1 - share) * samples[at]! + share * pattern[i]!;
    }
    const { gradient, logits } = await ask(inputs, target);
    last = { size: mask.reduce((sum, value) => sum + value, 0), success: successOf(logits, n, target) };
    if (last.success >= ENOUGH && (!best || last.size < best.size)) best = last;
    [working, failing] = last.success >= ENOUGH ? [working + 1, 0] : [0, failing + 1];
    if (working >= PATIENCE) [weight, working] = [weight * FACTOR, 0];
    if (failing >= PATIENCE) [weight, failing] = [weight / FACTOR ** 1.5, 0];

    const ofMask = new Float64Array(area).fill(weight);
    const ofPattern = new Float64Array(size);
    for (let at = 0; at < inputs.length; at++) {
      const i = at % size;
      const own = gradient[at]! / n;
      ofMask[i % area]! += own * (pattern[i]! - samples[at]!);
      ofPattern[i]! += own * mask[i % area]!;
    }
    optimizers[0](ofMask.map((value, i) => value * mask[i]! * (1 - mask[i]!)));
    optimizers[1](
      ofPattern.map((value, i) => {
        const range = maximum[i]! - minimum[i]!;
        const share = range > 0 ? (pattern[i]! - minimum[i]!) / range : 0;
        return value * range * share * (1 - share);
      }),
    );
  }
  return best ?? last;
}

function successOf(logits: Float32Array, n: number, target: number): number {
  const classes = logits.length / n;
  let taken = 0;
  for (let row = 0; row < n; row++) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    if (own.every((logit) => logit <= own[target]!)) taken += 1;
  }
  return taken / n;
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** Kingma, Ba, "Adam", ICLR 2015, over values that it changes in place. */
function adam(values: Float64Array): (gradient: Float64Array) => void {
  const first = new Float64Array(values.length);
  const second = new Float64Array(values.length);
  let steps = 0;
  return (gradient) => {
    steps += 1;
    for (const [i, slope] of gradient.entries()) {
      first[i] = BETA1 * first[i]! + (1 - BETA1) * slope;
      second[i] = BETA2 * second[i]! + (1 - BETA2) * slope * slope;
      const mean = first[i]! / (1 - BETA1 ** steps);
      values[i]! -= (RATE * mean) / (Math.sqrt(second[i]! / (1 - BETA2 ** steps)) + 1e-8);
    }
  };
}
