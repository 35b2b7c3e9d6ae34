export type { Attack, AttackContext, AttackResult, Classifier, Samples, ThreatModel } from './attack.js';
