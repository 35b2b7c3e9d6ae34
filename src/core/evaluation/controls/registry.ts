import type { Finding } from '../judgement.js';
import { accountedChanges } from './accounted-changes.js';
import { agreeingGradients } from './agreeing-gradients.js';
import { blackBox } from './black-box.js';
import { confirmedClaims } from './confirmed-claims.js';
import { type Control, type ControlEvidence, relevant } from './control.js';
import { steadyFrequencies } from './equal-frequencies.js';
import { lateRise } from './late-rise.js';
import { logitScale, longer } from './more-effort.js';
import { oneStep } from './one-step.js';
import { plantedWeakness } from './planted-weakness.js';
import { repeatableAnswers } from './repeatable-answers.js';
import { sameModel } from './same-model.js';
import { transferred } from './transferred.js';
import { unbounded } from './unbounded.js';
import { unbrokenCertificates } from './unbroken-certificates.js';
import { wholeSuite } from './whole-suite.js';

/** Every control, in the order in which a verdict names them. */
export const controls: readonly Control[] = [
  agreeingGradients,
  accountedChanges,
  repeatableAnswers,
  steadyFrequencies,
  wholeSuite,
  sameModel,
  confirmedClaims,
  oneStep,
  transferred,
  blackBox,
  unbounded,
  longer,
  logitScale,
  lateRise,
  plantedWeakness,
  unbrokenCertificates,
];

/**
 * Asks whether the attacks had the power to break what they did not break. A model that withstands because its
 * gradients are useless has withstood nothing.
 *
 * Source of the checks: Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018,
 * section 3.1; Carlini et al., "On evaluating adversarial robustness", 2019, section 4; Zimmermann, Brendel, Tramèr,
 * Carlini, "Increasing confidence in adversarial robustness evaluations", NeurIPS 2022.
 *
 * @param gradients - whether the model can be differentiated
 */
export function judgeControls(evidence: ControlEvidence, gradients: boolean): readonly Finding[] {
  return relevant(controls, evidence, gradients).flatMap((control) => control.judge(evidence));
}
