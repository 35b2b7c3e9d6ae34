import { drawVictims, type PoisoningAttack } from './attack.js';
import { changeSamples } from './change-samples.js';

/**
 * Samples of one class that are called the target class, so that the model confuses the two: of the class before the target.
 *
 * Source: Biggio, Nelson, Laskov, "Support vector machines under adversarial label noise", ACML 2011, of a class.
 */
export const targetedFlips: PoisoningAttack = {
  name: 'targeted-flips',
  plants: 'samples',
  fits: () => true,
  poison(data, options) {
    const { target } = options;
    const from = (target + data.classes.length - 1) % data.classes.length;
    const victims = drawVictims(data, options, 'targeted-flips', (index) => data.labels[index] === from);
    return changeSamples(data, victims, () => ({ label: target }));
  },
};
