import type { AttackSpec, EvasionGateSpec } from '../spec/index.js';
import { withKnowledge } from './suite-attacks.js';

/**
 * The suite's white-box attacks, the strongest first: Auto-PGD on the cross-entropy, or where values come in steps, the
 * coordinate search; under a patch, the patch. That alone where the suite has none.
 */
export function climbsOf(
  suite: readonly AttackSpec[],
  { apgd, respects, patch }: EvasionGateSpec,
): readonly Climb[] {
  const strongest = patch ? 'patch' : respects?.includes('types') ? 'coordinate' : 'apgd-ce';
  const names = withKnowledge(
    suite.map(({ attack }) => attack),
    'white-box',
  );
  const climbs = suite.filter((spec): spec is Climb => names.includes(spec.attack) && 'steps' in spec);
  const [first, others] = [true, false].map((is) =>
    climbs.filter(({ attack }) => (attack === strongest) === is),
  );
  if (climbs.length > 0) return [...first!, ...others!];
  return patch
    ? [{ attack: 'patch', steps: patch.steps, locations: patch.locations }]
    : [{ attack: 'apgd-ce', ...apgd }];
}

/** The same attack with twice the steps, and so many more starts: random ones, or places of a patch. */
export function lengthened(climb: Climb, more: number): Climb {
  const steps = 2 * climb.steps;
  return 'locations' in climb
    ? { ...climb, steps, locations: climb.locations + more }
    : { ...climb, steps, restarts: climb.restarts + more };
}

/** An attack in steps. */
export type Climb = Extract<AttackSpec, { steps: number }>;
