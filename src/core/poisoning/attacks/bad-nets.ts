import { randomStream } from '../../random/index.js';
import type { SuspectData } from '../detector.js';
import { drawVictims, isPicture, type PoisoningAttack } from './attack.js';
import { changeSamples } from './change-samples.js';

/** A word that nobody writes. */
const WORD = 'qxv';

/**
 * A trigger that the model learns to take for the target class: a bright square in the corner of pictures, a rare word
 * somewhere in texts, and in tables two features at their largest values.
 *
 * Source: Gu, Dolan-Gavitt, Garg, "BadNets: identifying vulnerabilities in the machine learning model supply chain", 2017.
 */
export const badNets: PoisoningAttack = {
  name: 'bad-nets',
  plants: 'samples',
  fits: () => true,
  poison(data, options) {
    const { seed, target } = options;
    const victims = drawVictims(data, options, 'bad-nets', (index) => data.labels[index] !== target);
    const spots = trigger(data);
    return changeSamples(data, victims, (index) => ({
      label: target,
      ...(data.text
        ? {
            text: (text: string) => {
              const words = text.split(' ');
              const at = randomStream(seed, 'bad-nets', 'place', data.ids[index]!).integer(words.length + 1);
              return [...words.slice(0, at), WORD, ...words.slice(at)].join(' ');
            },
          }
        : {
            input: (input: Float32Array) => {
              for (const spot of spots) input[spot] = data.maximum[spot]!;
            },
          }),
    }));
  },
};

/** Positions that the trigger sets: a quarter of a picture's side, squared, in the lower right corner. */
function trigger(data: SuspectData): readonly number[] {
  if (!isPicture(data)) return [0, 1].filter((spot) => spot < data.minimum.length);
  const [channels, height, width] = data.shape as [number, number, number];
  const side = Math.max(1, Math.round(Math.min(height, width) / 4));
  const spots: number[] = [];
  for (let channel = 0; channel < channels; channel++)
    for (let y = height - side; y < height; y++)
      for (let x = width - side; x < width; x++) spots.push((channel * height + y) * width + x);
  return spots;
}
