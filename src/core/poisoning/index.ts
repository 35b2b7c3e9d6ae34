export type { DetectorContext, SuspectData } from './detector.js';
export { type Inspection, inspect } from './inspect.js';
export { detectors } from './registry.js';
