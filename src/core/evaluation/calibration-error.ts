const BINS = 15;

/**
 * Expected calibration error: how far confidence and accuracy lie apart, over 15 bins of equal width weighted by how many answers
 * fall into them (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017, equation 3).
 *
 * @param answers - confidence in [0, 1]; their order does not matter, to the last bit
 * @returns a number in [0, 1]; 0 of no answers
 */
export function calibrationError(
  answers: readonly { readonly confidence: number; readonly correct: boolean }[],
): number {
  const gaps = new Float64Array(BINS);
  const gapsOfAnswers = answers
    .map(({ confidence, correct }) => ({
      // Bins are (k / 15, (k + 1) / 15].
      bin: Math.max(0, Math.ceil(confidence * BINS) - 1),
      gap: confidence - (correct ? 1 : 0),
    }))
    // Sums of the same numbers in another order differ in their last bits, and a verdict is decided again from sorted rows.
    .sort((one, other) => one.gap - other.gap);
  for (const { bin, gap } of gapsOfAnswers) gaps[bin]! += gap;
  return answers.length === 0 ? 0 : gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / answers.length;
}
