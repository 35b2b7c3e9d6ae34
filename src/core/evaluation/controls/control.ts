import type { AttackSpec, Randomised } from '../../spec/index.js';
import type { EvasionRow } from '../evasion-row.js';
import type { Finding } from '../judgement.js';

/** What the controls of an evasion gate may look at: nothing but the evidence and the policy. */
export interface ControlEvidence {
  readonly rows: readonly EvasionRow[];
  readonly confidence: number;
  /** The attacks that the policy asks for, in order; without gradients, those that need none. */
  readonly suite: readonly AttackSpec[];
  /** How the policy has a randomised model measured. */
  readonly randomised?: Randomised;
  /** Whether the adversary covers a patch. */
  readonly patch?: boolean;
}

/**
 * A question to the gate about its own power, answered from the evidence: one file, one value of this interface, one row
 * of the registry.
 */
export interface Control {
  readonly name: string;
  /** Makes no sense of a model that cannot be differentiated. */
  readonly needsGradients: boolean;
  /** Makes sense of such measurements alone: of one answer a request, or of several. Of all where absent. */
  readonly of?: 'deterministic' | 'randomised';
  /** @returns what keeps a pass from standing; nothing where the control holds */
  judge(evidence: ControlEvidence): readonly Finding[];
}

export function inconclusive(observation: string): Finding {
  return {
    status: 'inconclusive',
    reason: `${observation}: the attack may lack power against this model.`,
  };
}

export function notRun(control: string, got: number, expected: number): Finding {
  return {
    status: 'inconclusive',
    reason: `The ${control} was run on ${got} samples, expected ${expected}: nothing shows that the attack has power.`,
  };
}

/** Which of some controls make sense of a model and of how it was measured. */
export function relevant(
  controls: readonly Control[],
  { randomised }: ControlEvidence,
  gradients: boolean,
): readonly Control[] {
  const measured = randomised ? 'randomised' : 'deterministic';
  return controls.filter(
    ({ needsGradients, of = measured }) => (gradients || !needsGradients) && of === measured,
  );
}
