import { expect, type Inspection } from './inspection.js';

/** Link 0: the policy is still meant to be believed. */
export function checkPolicy(inspection: Inspection): void {
  const { now, policy } = inspection;
  const { expires } = policy;
  expect(
    inspection,
    'policy',
    expires === undefined || now <= new Date(expires),
    'policy-expired',
    `expected a trust policy that is valid at ${now.toISOString()}, got one that expired at ${expires}`,
  );
}
