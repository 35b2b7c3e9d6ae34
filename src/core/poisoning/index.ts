export type { PoisoningAttack, PoisoningOptions } from './attacks/attack.js';
export { poisoningAttacks } from './attacks/registry.js';
export type { Detector, DetectorContext, SuspectData } from './detector.js';
export { type Inspection, inspect } from './inspect.js';
export { inspectSnapshot, suspicions } from './inspect-snapshot.js';
export { detectors } from './registry.js';
