/**
 * How the runtime computes, as far as bounds must know it: u and η in fl(a ∘ b) = (a ∘ b)(1 + δ) + μ with |δ| ≤ u, |μ| ≤ η.
 */
export interface RuntimeArithmetic {
  /** Unit roundoff u. */
  readonly unit: number;
  /** Largest error of a result too small for a normal number; flushing such to zero included. */
  readonly underflow: number;
  /** What the runtime can hold: beyond it, results are infinite. */
  readonly largest: number;
}

/**
 * float32, which is what ONNX Runtime computes in. The error model behind every bound of this folder:
 *
 * **The runtime.** Between two nonlinear operators a network is linear: each value is a sum of terms, a term being an
 * input of that stretch times constants. In whatever order the runtime adds, whether with fused multiply–add or not, and
 * whichever constants it multiplies together beforehand (batch normalization into convolutions, bias into products), each
 * computed term carries at most K factors (1 + δ), where K counts the roundings on the longest way to the value. So
 * computed − exact ≤ γ_K · Σ|terms| with γ_K = K·u / (1 − K·u) (Higham, "Accuracy and stability of numerical algorithms",
 * 2nd edition, 2002, sections 3.1 and 3.4, lemma 3.1). The sums of absolute values are bounded together with the values;
 * underflow enters them as a term of its own, and a value that could overflow has no bounds. Nonlinear operators are
 * exact (ReLU, Clip, maxima) or carry the error that their own rule states. Bounds hold for what the runtime computes
 * from any float32 input of the ball, not for the network of real numbers.
 *
 * **The bounds.** They are computed in float64, whose own errors are bounded in the same way, with its own u, and are
 * given outwards: every bound says less than what was computed.
 *
 * Why: Jia, Rinard, "Exploiting verified neural networks via floating point numerical error", SAS 2021, break networks
 * inside balls that verifiers of real arithmetic had certified.
 *
 * What it rests on: IEEE 754 arithmetic in the runtime's kernels, no narrower format inside, and no algorithm for
 * products that subtracts first (Winograd, Strassen); ONNX Runtime's CPU provider has none for float32.
 */
export const float32Arithmetic: RuntimeArithmetic = {
  unit: 2 ** -24,
  underflow: 2 ** -126,
  largest: 2 ** 127,
};

/** γ_n = n·u / (1 − n·u), rounded up; infinite where n roundings may lose everything. */
export function gamma(roundings: number, unit: number): number {
  const share = roundings * unit;
  return share < 1 ? up(up(share) / down(1 - share)) : Number.POSITIVE_INFINITY;
}

/** γ_n of the float64 that bounds are computed in. */
export const ownGamma = (roundings: number): number => gamma(roundings, 2 ** -53);

/** At least what was rounded to `value` in one operation. */
export const up = (value: number): number => value + (Math.abs(value) * 2 ** -52 + Number.MIN_VALUE);

/** At most what was rounded to `value` in one operation. */
export const down = (value: number): number => value - (Math.abs(value) * 2 ** -52 + Number.MIN_VALUE);
