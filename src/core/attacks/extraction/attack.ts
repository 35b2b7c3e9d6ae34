/** What a served model says of some samples. */
export interface Told {
  /** Class index of each sample; −1 where the model abstains. */
  readonly labels: Int32Array;
  /** Row-major [n, classes]: what is told of the probabilities; 0 where one is not told. */
  readonly probabilities: Float64Array;
}

/** A model behind a prediction service, with a budget. */
export interface Victim {
  readonly classes: number;
  /** Samples that may still be asked about. */
  remaining(): number;
  /**
   * @param inputs - n·size values inside the valid range
   * @throws Error when `n` is more than what remains
   */
  ask(inputs: Float32Array, n: number): Promise<Told>;
}

/** A trainer in the thief's hands. */
export type Imitate = (
  ids: readonly string[],
  inputs: Float32Array,
  /** Row-major [n, classes], rows that sum to 1. */
  targets: Float32Array,
  /** How long to train: `draft` for a model that only helps to choose what to ask next. */
  effort: 'draft' | 'final',
) => Promise<Uint8Array>;

/** What the thief has beside access. */
export interface Thief {
  /** Natural inputs of the kind that the model is for, without labels: at least one. */
  readonly owned: { readonly ids: readonly string[]; readonly inputs: Float32Array };
  /** Shape of one sample. */
  readonly shape: readonly number[];
  /** Valid range of each input value. */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /** How the service flattens its probabilities, where it says so. */
  readonly temperature: number;
  readonly imitate: Imitate;
  /** Names every draw, together with what it is for. */
  readonly seed: number;
}

/** An extraction attack: one file, one value of this interface, one row of the registry. No thresholds here. */
export interface ExtractionAttack {
  readonly name: string;
  /** Whether it looks at labels alone, so that no hardening of probabilities changes what it steals. */
  readonly labelsSuffice?: boolean;
  /** @returns the copy: an ONNX file that gives logits, [N, classes] */
  steal(victim: Victim, thief: Thief): Promise<Uint8Array>;
}
