import type { Norm } from '../spec/index.js';

/** What a method has proved of one sample. */
export interface Certificate {
  /** Class index that the certified classifier gives the sample; `NO_CLASS` (−1) where it abstains. */
  readonly predicted: number;
  /**
   * However an input differs from the sample by at most this, in the norm that was asked for, the certified classifier gives
   * it the same class. 0: nothing is certified.
   */
  readonly radius: number;
}

/** A model to be certified. */
export interface CertifiableModel {
  /** The file: one float input [N, …shape], one float output [N, classes]. */
  readonly onnx: Uint8Array;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly classes: number;
  /** Valid range of each input value (length: one sample's size). */
  readonly minimum: Float32Array;
  readonly maximum: Float32Array;
  /**
   * The file's own float32 answers.
   * @param inputs - n·size values, row-major, which need not lie in the valid range @returns n·classes logits
   */
  logits(inputs: Float32Array, n: number): Promise<Float32Array>;
}

/** A method at work on one model. Close it after use. */
export interface Certifier<Proof extends Certificate = Certificate> {
  /**
   * @param sample - one sample's values, in the valid range
   * @param id - keys every random draw, so that certificates do not depend on batches or order
   */
  certify(sample: Float32Array, id: string): Promise<Proof>;
  close(): Promise<void>;
}

/** A certification method: one file, one value of this interface, one row of the registry. No thresholds here. */
export interface CertificationMethod<Options, Proof extends Certificate = Certificate> {
  readonly name: string;
  /** Norms in which its radii are. */
  readonly norms: readonly Norm[];
  /** @throws RefusedError `operator-unsupported` when it cannot reason about the model */
  open(model: CertifiableModel, options: Options): Promise<Certifier<Proof>>;
}

/** Options of a method that bounds the model over one ball: its certificates have radius ε or 0. */
export interface BallOptions {
  readonly norm: Norm;
  /** Radius of the ball, in the units that the model sees. The adversary stays in the valid range, too. */
  readonly epsilon: number;
}
