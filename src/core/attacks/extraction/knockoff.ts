import type { ExtractionAttack } from './attack.js';
import { naturalQueries } from './natural-queries.js';
import { softTargets } from './targets.js';

/**
 * Asks about natural inputs and trains on the probabilities that are told.
 *
 * Source: Orekondy, Schiele, Fritz, "Knockoff nets: stealing functionality of black-box models", CVPR 2019, with its random strategy.
 */
export const knockoff: ExtractionAttack = {
  name: 'knockoff',
  async steal(victim, thief) {
    const { ids, inputs } = naturalQueries(thief, victim.remaining());
    const told = await victim.ask(inputs, ids.length);
    return await thief.imitate(ids, inputs, softTargets(told, victim.classes, thief.temperature), 'final');
  },
};
