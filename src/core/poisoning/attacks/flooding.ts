import { randomStream } from '../../random/index.js';
import { hashedNgrams } from '../../text/index.js';
import { drawVictims, type PoisoningAttack } from './attack.js';

/** Originals of which copies are made. */
const ORIGINALS = 5;
/** Share of a copy's values that differ a little, or of its words that are missing. */
const CHANGED = 0.05;

/**
 * Near-duplicates: many slightly different copies of a few samples of other classes, all called the target class, so that
 * they outweigh everything nearby. Copies are added to the data.
 */
export const flooding: PoisoningAttack = {
  name: 'flooding',
  plants: 'samples',
  fits: () => true,
  poison(data, options) {
    const { seed, share, target } = options;
    const size = data.minimum.length;
    const originals = drawVictims(data, options, 'flooding', (index) => data.labels[index] !== target).slice(
      0,
      ORIGINALS,
    );
    const count = Math.max(originals.length, Math.round(share * data.ids.length));
    const inputs = new Float32Array((data.ids.length + count) * size);
    inputs.set(data.inputs);
    const ids = [...data.ids];
    const texts = [...(data.text?.texts ?? [])];
    for (let copy = 0; copy < count; copy++) {
      const original = originals[copy % originals.length]!;
      const id = `copy-${copy}-of-${data.ids[original]}`;
      const stream = randomStream(seed, 'flooding', id);
      const row = inputs.subarray(ids.length * size, (ids.length + 1) * size);
      if (data.text) {
        const words = texts[original]!.split(' ');
        const missing = stream.integer(words.length);
        texts.push(words.filter((_, index) => words.length === 1 || index !== missing).join(' '));
        row.set(hashedNgrams(texts.at(-1)!, data.text.features));
      } else {
        row.set(data.inputs.subarray(original * size, (original + 1) * size));
        for (let i = 0; i < size; i++) {
          if (stream.uniform() >= CHANGED) continue;
          const range = data.maximum[i]! - data.minimum[i]!;
          const moved = row[i]! + (stream.integer(2) === 0 ? -1 : 1) * range * 0.0625;
          row[i] = Math.min(data.maximum[i]!, Math.max(data.minimum[i]!, moved));
        }
      }
      ids.push(id);
    }
    const labels = new Uint32Array(ids.length).fill(target);
    labels.set(data.labels);
    const { crowd: _, ...others } = data;
    return {
      data: { ...others, ids, inputs, labels, ...(data.text && { text: { ...data.text, texts } }) },
      planted: new Set(ids.slice(data.ids.length)),
    };
  },
};
