import type { Told } from './attack.js';

/**
 * What a copy is trained to answer: the most that can be read out of what was told.
 *
 * A temperature that the service names is undone, and what the probabilities that are told lack to 1 is spread over those that are
 * not. Where none is told, the label is all there is; an abstention says that all classes are alike.
 *
 * @param temperature - 1 where there is none
 * @returns row-major [n, classes], rows that sum to 1
 */
export function softTargets(
  { labels, probabilities }: Told,
  classes: number,
  temperature: number,
): Float32Array {
  const targets = hardTargets(labels, classes);
  labels.forEach((label, row) => {
    const told = probabilities.subarray(row * classes, (row + 1) * classes);
    if (label < 0 || !told.some((value) => value > 0)) return;
    const hidden = told.filter((value) => value === 0).length;
    const rest = hidden === 0 ? 0 : Math.max(0, 1 - sumOf(told)) / hidden;
    const largest = Math.max(rest, ...told);
    const sharpened = told.map((value) => ((value === 0 ? rest : value) / largest) ** temperature);
    const sum = sumOf(sharpened);
    targets.set(
      sharpened.map((value) => value / sum),
      row * classes,
    );
  });
  return targets;
}

/** The labels alone, one-hot; all classes alike where the model abstains. */
export function hardTargets(labels: Int32Array, classes: number): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    if (label < 0) targets.fill(1 / classes, row * classes, (row + 1) * classes);
    else targets[row * classes + label] = 1;
  });
  return targets;
}

function sumOf(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
