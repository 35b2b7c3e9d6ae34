import type { Classifier } from '../attacks/index.js';
import { attackExponent } from './attack-scale.js';
import type { GateSubject } from './gate.js';

/**
 * Opens the parent as a surrogate, its logits at the scale that attacks work at.
 *
 * @param whole - all samples of the draw: the scale must not depend on how it is cut
 */
export async function openSurrogate(
  { samples, minimum, signal }: GateSubject,
  openParent: (logitExponent: number) => Promise<Classifier>,
): Promise<Classifier> {
  const size = minimum.length;
  const plain = await openParent(0);
  let exponent: number;
  try {
    exponent = await attackExponent(samples.ids.length, (index) => {
      signal?.throwIfAborted();
      return plain.logits(samples.inputs.slice(index * size, (index + 1) * size), 1);
    });
  } catch (error) {
    await plain.close();
    throw error;
  }
  if (exponent === 0) return plain;
  await plain.close();
  return openParent(exponent);
}
