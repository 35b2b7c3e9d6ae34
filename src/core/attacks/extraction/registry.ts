import type { ExtractionAttack } from './attack.js';
import { jacobian } from './jacobian.js';
import { knockoff } from './knockoff.js';
import { labelOnly } from './label-only.js';

/** Every way to steal a model that is tried. */
export const extractionAttacks: readonly ExtractionAttack[] = [knockoff, labelOnly, jacobian];
