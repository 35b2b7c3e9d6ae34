import { fgsm } from './fgsm.js';
import { pgd } from './pgd.js';

/** Every attack, cheapest first. */
export const attacks = { fgsm, pgd } as const;

export type AttackName = keyof typeof attacks;
