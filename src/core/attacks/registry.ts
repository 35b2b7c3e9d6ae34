import { apgdCe } from './apgd-ce.js';
import { apgdDlr } from './apgd-dlr.js';
import { apgdT } from './apgd-t.js';
import { coordinate } from './coordinate.js';
import { fab, fabT } from './fab.js';
import { fgsm } from './fgsm.js';
import { hopSkipJump } from './hop-skip-jump.js';
import { patch } from './patch.js';
import { patchSearch } from './patch-search.js';
import { pgd } from './pgd.js';
import { square } from './square.js';
import { sticker } from './sticker.js';
import { transfer } from './transfer.js';

/** Every attack, cheapest first. */
export const attacks = {
  fgsm,
  pgd,
  'apgd-ce': apgdCe,
  'apgd-dlr': apgdDlr,
  'apgd-t': apgdT,
  fab,
  'fab-t': fabT,
  coordinate,
  transfer,
  square,
  'hop-skip-jump': hopSkipJump,
} as const;

/** Those of an adversary who covers a patch. */
export const patchAttacks = { sticker, patch, 'patch-search': patchSearch } as const;

export type AttackName = keyof typeof attacks;
