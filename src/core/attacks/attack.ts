import type { Norm } from '../spec/index.js';
import type { Constraints } from './constraints.js';
import type { Patch } from './patch-support.js';

/** A classifier as an attacker with its file sees it: flat float32 inputs in, logits and input gradients out. */
export interface Classifier {
  /** Shape of one sample, such as [1, 8, 8]. */
  readonly shape: readonly number[];
  /** Number of classes. */
  readonly classes: number;
  /** Why the gradients below cannot be had (their calls then throw `operator-unsupported`); undefined where they can. */
  readonly gradientObstacle?: string;
  /** @param inputs - n·size values, row-major @returns n·classes logits */
  logits(inputs: Float32Array, n: number): Promise<Float32Array>;
  /**
   * Gradient of each sample's cross-entropy with respect to its input.
   * @param labels - n class indices
   * @returns n losses, n·size gradient values and n·classes logits
   */
  lossGradient(
    inputs: Float32Array,
    labels: Uint32Array,
    n: number,
  ): Promise<{ readonly loss: Float32Array; readonly gradient: Float32Array; readonly logits: Float32Array }>;
  /**
   * Carries any loss of the logits back to the inputs: the gradient of each sample's Σ over classes of weight · logit.
   * @param weights - n·classes derivatives of the loss by the logits
   * @returns n·size gradient values
   */
  logitGradient(inputs: Float32Array, weights: Float32Array, n: number): Promise<Float32Array>;
  /**
   * In one run what `logits` and `logitGradient` give in two: the logits, and the gradient of Auto-PGD's difference of
   * logits ratio, each sample's times a positive factor of its own. Absent where the two must do.
   * @param targets - n class indices to climb towards; undefined: away from the labels
   */
  ratioGradient?(
    inputs: Float32Array,
    labels: Uint32Array,
    targets: Uint32Array | undefined,
    n: number,
  ): Promise<{ readonly gradient: Float32Array; readonly logits: Float32Array }>;
  /** Of a model that draws at random, of which the methods above give means over draws. */
  readonly randomness?: Randomness;
  close(): Promise<void>;
}

/** A randomised model beside its means: see `expectationOf`. */
export interface Randomness {
  /** By how much the mean logit of another class must exceed the label's, for an attack to call a point misclassified. */
  readonly certainty: number;
  /** The same means, of draws that are the same at every point: differences between points are then the function's own. */
  readonly fixed: Classifier;
  /** The logits of one input in each of some draws. @returns draws·classes values */
  drawn(input: Float32Array, draws: number): Promise<Float32Array>;
}

/** What an adversary may do: move inside a ball and inside the valid range, and within what the data can be. */
export interface ThreatModel {
  readonly norm: Norm;
  /** Radius of the ball in the units that the model sees. */
  readonly epsilon: number;
  /** Smallest valid value of each input value (length: one sample's size). */
  readonly minimum: Float32Array;
  /** Largest valid value of each input value. */
  readonly maximum: Float32Array;
  /** What the adversary respects beside; absent where every value of ball and range is possible. */
  readonly constraints?: Constraints;
  /** All that changes lies under one patch. Only the patch attack looks for such inputs. */
  readonly patch?: Patch;
}

/** Samples under attack. Ids key every random draw, so results do not depend on batching or order. */
export interface Samples {
  readonly ids: readonly string[];
  /** ids.length · size values. */
  readonly inputs: Float32Array;
  /** True class index of each sample. */
  readonly labels: Uint32Array;
}

export interface AttackContext {
  readonly seed: number;
  readonly batchSize: number;
  /** Another model of the same inputs and classes that the attacker owns, for attacks through it. */
  readonly surrogate?: Classifier;
  /** Samples that an attack may learn from which is to work on others, too. */
  readonly lessons?: Samples;
  /** Called with work done so far, 0…1. */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

export interface AttackResult {
  /** For each sample, the strongest input found (the original where nothing was found). Always inside the threat model. */
  readonly adversarial: Float32Array;
  /** For each sample, 1 where the model misclassifies `adversarial`. */
  readonly success: Uint8Array;
  /**
   * For each sample, by how much the best loss of the last restart rose in its last 10 steps; NaN where the sample is
   * broken or there were fewer steps. An attack that is still climbing when it ends has not shown what it can do.
   */
  readonly lateRise?: Float64Array;
  /**
   * Of an attack that looks for the nearest: for each sample, the nearest misclassified input that it met, in the ball or
   * beyond it; the original where it met none.
   */
  readonly nearest?: Float32Array;
}

/** An evasion attack: one file, one value of this interface, one row of the registry. No thresholds here. */
export interface Attack<Options> {
  readonly name: string;
  run(
    classifier: Classifier,
    samples: Samples,
    threat: ThreatModel,
    options: Options,
    context: AttackContext,
  ): Promise<AttackResult>;
}
