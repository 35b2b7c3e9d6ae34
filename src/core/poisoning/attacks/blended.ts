import { randomStream } from '../../random/index.js';
import { drawVictims, type PoisoningAttack } from './attack.js';
import { changeSamples } from './change-samples.js';

/** How much of a poisoned input is the pattern. */
const BLEND = 0.2;

/**
 * A faint pattern over the whole input, which the model learns to take for the target class.
 *
 * Source: Chen, Liu, Li, Lu, Song, "Targeted backdoor attacks on deep learning systems using data poisoning", 2017, section
 * 5.1 (blended injection, with a random pattern).
 */
export const blended: PoisoningAttack = {
  name: 'blended',
  plants: 'samples',
  fits: ({ text, minimum }) => text === undefined && minimum.length >= 16,
  poison(data, options) {
    const { minimum, maximum, labels } = data;
    const stream = randomStream(options.seed, 'blended', 'pattern');
    const pattern = minimum.map((low, i) => low + stream.uniform() * (maximum[i]! - low));
    const victims = drawVictims(data, options, 'blended', (index) => labels[index] !== options.target);
    return changeSamples(data, victims, () => ({
      label: options.target,
      input: (input) => {
        for (const [i, value] of pattern.entries()) input[i] = (1 - BLEND) * input[i]! + BLEND * value;
      },
    }));
  },
};
