import { hashedNgrams } from '../../text/index.js';
import type { SuspectData } from '../detector.js';
import type { Poisoned } from './attack.js';

/** What an attacker makes of one sample; what is not given stays. */
export interface Change {
  readonly input?: (input: Float32Array) => void;
  readonly text?: (text: string) => string;
  readonly label?: number;
}

/** Data in which some samples are changed. A changed text is hashed again. */
export function changeSamples(
  data: SuspectData,
  victims: readonly number[],
  change: (index: number) => Change,
): Poisoned {
  const size = data.minimum.length;
  const inputs = data.inputs.slice();
  const labels = data.labels.slice();
  const texts = [...(data.text?.texts ?? [])];
  for (const index of victims) {
    const { input, text, label } = change(index);
    const row = inputs.subarray(index * size, (index + 1) * size);
    input?.(row);
    if (text && data.text) {
      texts[index] = text(texts[index]!);
      row.set(hashedNgrams(texts[index]!, data.text.features));
    }
    if (label !== undefined) labels[index] = label;
  }
  return {
    data: { ...data, inputs, labels, ...(data.text && { text: { ...data.text, texts } }) },
    planted: new Set(victims.map((index) => data.ids[index]!)),
  };
}
