/** The largest margin at which float32 cross-entropy still has a gradient with most of its digits: 1 − p ≈ e⁻¹². */
const LARGEST_MARGIN = 12;

/**
 * How often one row of logits must be halved for its cross-entropy not to be saturated. At a margin m between the label
 * and the best other class, the label's probability is about 1 − e⁻ᵐ; in float32 the gradient's part that comes through
 * the label loses its digits as m grows and is gone at 17, and what is left points elsewhere.
 *
 * @param logits - rows of `classes` values
 * @returns an integer of at least 0; 0 where the logits are not finite
 */
export function halvings(logits: Float32Array, classes: number, row: number, label: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) if (c !== label) best = Math.max(best, logits[row * classes + c]!);
  const margin = logits[row * classes + label]! - best;
  return margin > LARGEST_MARGIN && Number.isFinite(margin)
    ? Math.ceil(Math.log2(margin / LARGEST_MARGIN))
    : 0;
}
