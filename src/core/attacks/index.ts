export type { Attack, AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
export { blackBox } from './black-box.js';
export type { Constraints, Steps } from './constraints.js';
export { distance } from './distance.js';
export type { Expectation } from './expectation.js';
export type { Told, Victim } from './extraction/attack.js';
export { extractionAttacks } from './extraction/registry.js';
export { openClassifier } from './onnx-classifier.js';
export { covered, locationsOf, type Patch } from './patch-support.js';
export { NO_CLASS, predictedClass } from './predict.js';
export { nearestAllowed } from './projection.js';
export { type AttackName, attacks, patchAttacks } from './registry.js';
export { halvings } from './saturation.js';
export type { TextAdversary } from './text/word-edits.js';
export { insideTextModel, replacementsOf } from './text/word-edits.js';
export {
  substituteWords,
  type TextAttackOptions,
  type TextAttackResult,
  type TextClassifier,
  type TextSamples,
} from './text/word-substitution.js';
export { insideThreatModel } from './threat-model.js';
