/** How labels were mixed up. */
export interface NoiseModel {
  /** classes·classes: at [given · classes + true], the probability that a sample of the true class is given the label. */
  readonly givenTrue: Float64Array;
  /** Estimated share of samples whose label is not their class. */
  readonly share: number;
}

/** Rounds of the fixed point below: far beyond where digits settle. */
const ROUNDS = 100;

/**
 * Estimates how labels were mixed up from what models say of samples that they did not see. A sample counts as of a class
 * where its probability reaches what is usual for samples that carry that label.
 *
 * Source: Northcutt, Jiang, Chuang, "Confident learning", JAIR 70 (2021), equations 1 to 3.
 *
 * @param probabilities - n·classes, rows summing to 1
 */
export function noiseModel(probabilities: Float64Array, labels: Uint32Array, classes: number): NoiseModel {
  const counts = new Float64Array(classes);
  const usual = new Float64Array(classes);
  labels.forEach((label, index) => {
    counts[label]! += 1;
    usual[label]! += probabilities[index * classes + label]!;
  });
  for (let c = 0; c < classes; c++)
    usual[c] = counts[c]! > 0 ? usual[c]! / counts[c]! : Number.POSITIVE_INFINITY;

  const joint = new Float64Array(classes * classes);
  labels.forEach((label, index) => {
    let counted = -1;
    for (let c = 0; c < classes; c++) {
      const likely = probabilities[index * classes + c]!;
      if (likely < usual[c]!) continue;
      if (counted < 0 || likely > probabilities[index * classes + counted]!) counted = c;
    }
    if (counted >= 0) joint[label * classes + counted]! += 1;
  });
  // Each label keeps its number of samples; one of which none counted keeps its own class.
  for (let given = 0; given < classes; given++) {
    const row = joint.subarray(given * classes, (given + 1) * classes);
    const counted = row.reduce((sum, count) => sum + count, 0);
    if (counted === 0) row[given] = counts[given]!;
    else for (let c = 0; c < classes; c++) row[c]! *= counts[given]! / counted;
  }
  const givenTrue = new Float64Array(classes * classes);
  let wrong = 0;
  for (let c = 0; c < classes; c++) {
    const total = counts.reduce((sum, _, given) => sum + joint[given * classes + c]!, 0);
    for (let given = 0; given < classes; given++) {
      const share = joint[given * classes + c]!;
      if (given !== c) wrong += share;
      givenTrue[given * classes + c] = total > 0 ? share / total : given === c ? 1 : 0;
    }
  }
  return { givenTrue, share: labels.length === 0 ? 0 : wrong / labels.length };
}

/**
 * How likely each class is, where models have learned how likely each *label* is: the mixture of classes whose labels,
 * mixed up as the noise model has it, come nearest to what the models say (maximum likelihood, by expectation
 * maximisation).
 *
 * @returns n·classes, rows summing to 1
 */
export function cleanPosterior(
  probabilities: Float64Array,
  { givenTrue }: NoiseModel,
  classes: number,
): Float64Array {
  const posterior = probabilities.slice();
  const factor = new Float64Array(classes);
  for (let at = 0; at < posterior.length; at += classes) {
    const said = probabilities.subarray(at, at + classes);
    const mixture = posterior.subarray(at, at + classes);
    for (let round = 0; round < ROUNDS; round++) {
      for (let given = 0; given < classes; given++) {
        let expected = 0;
        for (let c = 0; c < classes; c++) expected += givenTrue[given * classes + c]! * mixture[c]!;
        factor[given] = expected > 0 ? said[given]! / expected : 0;
      }
      for (let c = 0; c < classes; c++) {
        let gain = 0;
        for (let given = 0; given < classes; given++)
          gain += factor[given]! * givenTrue[given * classes + c]!;
        mixture[c]! *= gain;
      }
      const sum = mixture.reduce((total, value) => total + value, 0);
      for (let c = 0; sum > 0 && c < classes; c++) mixture[c]! /= sum;
    }
  }
  return posterior;
}
