import type { ExtractionAttack } from './attack.js';
import { naturalQueries } from './natural-queries.js';
import { hardTargets } from './targets.js';

/**
 * Asks about natural inputs and believes nothing but the labels, which no hardening changes.
 *
 * Source: Tramèr, Zhang, Juels, Reiter, Ristenpart, "Stealing machine learning models via prediction APIs", USENIX Security 2016,
 * section 6 (extraction given class labels only).
 */
export const labelOnly: ExtractionAttack = {
  name: 'label-only',
  labelsSuffice: true,
  async steal(victim, thief) {
    const { ids, inputs } = naturalQueries(thief, victim.remaining());
    const { labels } = await victim.ask(inputs, ids.length);
    return await thief.imitate(ids, inputs, hardTargets(labels, victim.classes), 'final');
  },
};
