import type { PoisoningAttack } from './attack.js';
import { badNets } from './bad-nets.js';
import { blended } from './blended.js';
import { featureCollision } from './feature-collision.js';
import { flooding } from './flooding.js';
import { randomFlips } from './random-flips.js';
import { sybilRaters } from './sybil-raters.js';
import { targetedFlips } from './targeted-flips.js';

/** Every poisoning attack, in the order in which tables name them. */
export const poisoningAttacks: readonly PoisoningAttack[] = [
  randomFlips,
  targetedFlips,
  badNets,
  blended,
  featureCollision,
  flooding,
  sybilRaters,
];
