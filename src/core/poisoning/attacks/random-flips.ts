import { randomStream } from '../../random/index.js';
import { drawVictims, type PoisoningAttack } from './attack.js';
import { changeSamples } from './change-samples.js';

/** Labels that become any other class. */
export const randomFlips: PoisoningAttack = {
  name: 'random-flips',
  plants: 'samples',
  fits: () => true,
  poison(data, options) {
    const victims = drawVictims(data, options, 'random-flips', () => true);
    const classes = data.classes.length;
    return changeSamples(data, victims, (index) => {
      const step =
        1 + randomStream(options.seed, 'random-flips', 'class', data.ids[index]!).integer(classes - 1);
      return { label: (data.labels[index]! + step) % classes };
    });
  },
};
