import type { Classifier, Expectation } from '../attacks/index.js';
import { attackExponent } from './attack-scale.js';
import type { GateSubject } from './gate.js';

/**
 * Opens the parent as a surrogate, its logits at the scale that attacks work at.
 *
 * @param whole - all samples of the draw: the scale must not depend on how it is cut
 */
export async function openSurrogate(
  whole: GateSubject,
  openParent: NonNullable<GateSubject['openParent']>,
  expectation?: Expectation,
): Promise<Classifier> {
  const plain = await openParent(0, expectation);
  let exponent: number;
  try {
    exponent = await exponentOf(whole, plain);
  } catch (error) {
    await plain.close();
    throw error;
  }
  if (exponent === 0) return plain;
  await plain.close();
  return openParent(exponent, expectation);
}

/** The scale that attacks on a classifier work at, by its own logits of samples as they are. */
export function exponentOf(
  { samples, minimum, signal }: GateSubject,
  classifier: Classifier,
): Promise<number> {
  const size = minimum.length;
  return attackExponent(samples.ids.length, (index) => {
    signal?.throwIfAborted();
    return classifier.logits(samples.inputs.slice(index * size, (index + 1) * size), 1);
  });
}
