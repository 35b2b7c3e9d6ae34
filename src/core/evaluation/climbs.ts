import type { AttackSpec, EvasionGateSpec } from '../spec/index.js';
import { withKnowledge } from './suite-attacks.js';

/**
 * The suite's white-box attacks, the strongest first: Auto-PGD on the cross-entropy, or where values come in steps, the
 * coordinate search. Auto-PGD alone where the suite has none.
 */
export function climbsOf(
  suite: readonly AttackSpec[],
  { apgd, respects }: EvasionGateSpec,
): readonly Climb[] {
  const strongest = respects?.includes('types') ? 'coordinate' : 'apgd-ce';
  const names = withKnowledge(
    suite.map(({ attack }) => attack),
    'white-box',
  );
  const climbs = suite.filter((spec): spec is Climb => names.includes(spec.attack) && 'steps' in spec);
  const [first, others] = [true, false].map((is) =>
    climbs.filter(({ attack }) => (attack === strongest) === is),
  );
  return climbs.length === 0 ? [{ attack: 'apgd-ce', ...apgd }] : [...first!, ...others!];
}

/** An attack in steps. */
export type Climb = Extract<AttackSpec, { steps: number }>;
