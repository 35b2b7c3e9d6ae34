import { randomStream } from '../../random/index.js';
import { hiddenOf } from '../embedding.js';
import { drawVictims, type PoisoningAttack } from './attack.js';
import { changeSamples } from './change-samples.js';

const STEPS = 100;
/** How near to the base a poison stays, against how near it comes to the other input in what the network sees. */
const BASE = 0.1;

/**
 * Clean-label poison: inputs of the target class, rightly labelled, that were moved to where the network sees one input of
 * another class, which is then taken for the target.
 *
 * Source: Shafahi et al., "Poison frogs! Targeted clean-label poisoning attacks on neural networks", NeurIPS 2018, algorithm 1.
 */
export const featureCollision: PoisoningAttack = {
  name: 'feature-collision',
  plants: 'samples',
  fits: ({ text, minimum }) => text === undefined && minimum.length >= 16,
  poison(data, options) {
    const { embedding, seed, target } = options;
    if (!embedding) throw new TypeError('expected an embedding to collide in');
    const { labels, minimum, maximum, inputs } = data;
    const size = minimum.length;
    const { width, weight } = embedding;
    const others = [...labels.keys()].filter((index) => labels[index] !== target);
    const aim = others[randomStream(seed, 'feature-collision', 'aim').integer(others.length)]!;
    const wanted = hiddenOf(inputs.slice(aim * size, (aim + 1) * size), embedding);
    // A step no longer than the gradient's Lipschitz constant allows.
    const square = weight.reduce((sum, value) => sum + value * value, 0);
    const rate = 1 / square;
    const victims = drawVictims(data, options, 'feature-collision', (index) => labels[index] === target);
    return changeSamples(data, victims, () => ({
      input: (input) => {
        const base = input.slice();
        for (let step = 0; step < STEPS; step++) {
          const hidden = hiddenOf(input, embedding);
          for (let i = 0; i < size; i++) {
            let gradient = 0;
            for (let unit = 0; unit < width; unit++) {
              if (hidden[unit]! > 0 || wanted[unit]! > 0)
                gradient += (hidden[unit]! - wanted[unit]!) * weight[i * width + unit]!;
            }
            const moved = input[i]! - 10 * rate * gradient;
            const near = (moved + rate * BASE * base[i]!) / (1 + rate * BASE);
            input[i] = Math.min(maximum[i]!, Math.max(minimum[i]!, near));
          }
        }
      },
    }));
  },
};
