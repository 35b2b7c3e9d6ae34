import type { Digest, Verdict } from '../../spec/index.js';
import { type Waiver, waiverPredicate } from '../statements/waiver.js';
import type { Evidence } from './evidence.js';
import { expect, type Inspection, openLink } from './inspection.js';

/** Whether somebody who may took it upon themselves that this result did not pass. */
export type IsWaived = (result: Digest, verdict: Verdict) => boolean;

/** Link 6, before the tests: each waiver is by somebody who may, for this endpoint, of a gate that may be waived, in time. */
export async function readWaivers(
  inspection: Inspection,
  { endpoint, model, chain }: Evidence,
): Promise<IsWaived> {
  const waivers: Waiver[] = [];
  for (const envelope of chain.waivers ?? []) {
    const about = { endpoint, subject: model };
    const opened = await openLink(inspection, 'waivers', waiverPredicate, envelope, about);
    if (!opened) continue;
    const { predicate: waiver } = opened;
    const { gate, result, expires } = waiver;
    const meant = waiver.endpoint === endpoint && chain.tests.includes(result);
    const inTime = inspection.now <= new Date(expires);
    expect(
      inspection,
      'waivers',
      meant && inTime,
      'waiver-mismatch',
      `expected a waiver for ${endpoint} of a result in this chain, in time, got one for ${waiver.endpoint} of ${result} until ${expires}`,
    );
    const allowed = allowedStatuses(inspection, endpoint, gate).length > 0;
    expect(
      inspection,
      'waivers',
      allowed,
      'waiver-mismatch',
      `expected a waiver of a gate that the trust policy lets people waive for ${endpoint}, got one of ${gate}`,
    );
    if (meant && inTime && allowed) waivers.push(waiver);
  }
  return (result, { gate, status }) =>
    waivers.some((waiver) => waiver.result === result && waiver.gate === gate) &&
    allowedStatuses(inspection, endpoint, gate).includes(status);
}

/** What may be waived of a gate; to waive a failure is to waive doubt as well. */
function allowedStatuses(
  { policy }: Inspection,
  endpoint: string,
  gate: string,
): readonly Verdict['status'][] {
  const allowed = (policy.endpoints[endpoint]?.waivable ?? []).filter((waivable) => waivable.gate === gate);
  return allowed.flatMap(({ status }): Verdict['status'][] =>
    status === 'fail' ? ['fail', 'inconclusive'] : [status],
  );
}
