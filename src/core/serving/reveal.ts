import type { RandomStream } from '../random/index.js';
import type { Reveals } from '../spec/index.js';
import { indexOfLargest } from './probabilities.js';

/**
 * The probabilities of one answer as a client may see them: hidden below a confidence, flattened, noised, cut to the largest,
 * rounded, in this order. The gateway and the extraction gate both call this function.
 *
 * Whatever is done, the class of the answer keeps the largest probability that is told: noise that would have moved it is undone by
 * exchanging the two (label-preserving perturbation, as in Lee, Edwards, Molloy, Su, "Defending against neural network model
 * stealing attacks using deceptive perturbations", 2019), and rounding breaks its ties.
 *
 * @param probabilities - one a class, summing to 1
 * @param answer - index of the class that is answered
 * @param draws - for noise: of this model and input and a secret, so that asking again tells nothing new
 * @returns values in [0, 1]; 0 where a probability is not told. They need not sum to 1.
 */
export function reveal(
  probabilities: Float64Array,
  answer: number,
  reveals: Reveals,
  draws: () => RandomStream,
): Float64Array {
  const { minimumConfidence, temperature = 1, noise, top, decimals } = reveals;
  if (minimumConfidence !== undefined && probabilities[answer]! < minimumConfidence) {
    return new Float64Array(probabilities.length);
  }
  let told = temperature === 1 ? probabilities.slice() : flattened(probabilities, temperature);
  if (noise !== undefined) told = noised(told, answer, noise, draws());
  if (top !== undefined) hideAllBut(told, answer, top);
  // Else float32, as the protocol sends them; decimals are kept, so that 0.1 reads 0.1.
  return decimals === undefined ? told.map(Math.fround) : rounded(told, answer, decimals);
}

function flattened(probabilities: Float64Array, temperature: number): Float64Array {
  return normalized(probabilities.map((value) => value ** (1 / temperature)));
}

function noised(
  probabilities: Float64Array,
  answer: number,
  deviation: number,
  draws: RandomStream,
): Float64Array {
  const told = normalized(probabilities.map((value) => value * Math.exp(deviation * draws.normal())));
  const largest = indexOfLargest(told);
  [told[answer], told[largest]] = [told[largest]!, told[answer]!];
  return told;
}

function hideAllBut(told: Float64Array, answer: number, top: number): void {
  const others = [...told.keys()]
    .filter((index) => index !== answer)
    .sort((a, b) => told[b]! - told[a]! || a - b);
  for (const index of others.slice(top - 1)) told[index] = 0;
}

function rounded(told: Float64Array, answer: number, decimals: number): Float64Array {
  const scale = 10 ** decimals;
  const units = told.map((value) => Math.round(value * scale));
  const most = Math.max(1, units[answer]!);
  units.forEach((value, index) => {
    units[index] = index === answer ? most : Math.min(value, most - 1);
  });
  // Divided, not multiplied by a fraction: 3 / 10 is the number that is written 0.3.
  return units.map((value) => value / scale);
}

function normalized(values: Float64Array): Float64Array {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
