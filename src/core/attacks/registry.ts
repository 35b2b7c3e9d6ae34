import { apgdCe } from './apgd-ce.js';
import { apgdDlr } from './apgd-dlr.js';
import { fgsm } from './fgsm.js';
import { pgd } from './pgd.js';
import { square } from './square.js';

/** Every attack, cheapest first. */
export const attacks = { fgsm, pgd, 'apgd-ce': apgdCe, 'apgd-dlr': apgdDlr, square } as const;

export type AttackName = keyof typeof attacks;
