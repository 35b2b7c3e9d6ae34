import { z } from 'zod';
import { nameSchema, type ReleaseRecord } from '../../spec/index.js';
import { hasRole, mayAskUnsigned, type Person, roleNeeded } from '../people.js';
import { digestOfSet } from '../statements/predicate.js';
import { requestPredicate } from '../statements/request.js';
import { parseStrictJson } from '../strict-json.js';
import type { Evidence } from './evidence.js';
import { attempt, expect, fail, type Inspection, openLink, readBytes } from './inspection.js';

/** Who asked for what is released. */
export interface Requested {
  readonly run?: Person;
  readonly rollback?: Person;
}

const askedSchema = z.object({
  lifecycle: z.object({ name: nameSchema, release: z.object({ endpoint: nameSchema }) }),
});

/**
 * Link 8: people who may asked for this endpoint, under keys of their own. A policy with `requests: signed` lets in nothing that
 * nobody is known to have asked for.
 */
export async function checkRequests(
  inspection: Inspection,
  { endpoint }: Evidence,
  { requests = [], kind }: Pick<ReleaseRecord, 'requests' | 'kind'>,
): Promise<Requested> {
  const { policy } = inspection;
  const found: { run?: Person; rollback?: Person } = {};
  for (const envelope of requests) {
    const about = { endpoint, subject: undefined };
    const opened = await openLink(inspection, 'request', requestPredicate, envelope, about);
    if (!opened) continue;
    const { action, endpoint: place } = opened.predicate;
    const { person } = opened.signer;
    const fits = (action === 'run' || (action === 'rollback' && kind === 'rollback')) && place === endpoint;
    expect(
      inspection,
      'request',
      fits && person !== undefined && !found[action],
      'request-mismatch',
      `expected one request for a run, and one for the rollback where it is one, of ${endpoint} by people of the trust policy, ` +
        `got ${action} of ${place} by ${person?.name ?? opened.signer.id}`,
    );
    if (!fits || !person || (action !== 'run' && action !== 'rollback')) continue;
    const may = hasRole(person, roleNeeded[action], endpoint);
    expect(
      inspection,
      'request',
      may,
      'role-missing',
      `expected a ${roleNeeded[action]} of ${endpoint} to ask for the ${action}, got ${person.name}`,
    );
    if (may) found[action] = person;
    if (action === 'run') {
      await attempt(inspection, 'request', async () => {
        const asked = askedSchema.safeParse(
          parseStrictJson(await readBytes(inspection.store, digestOfSet(opened.subject.digest))),
        );
        const to = asked.success ? asked.data.lifecycle.release.endpoint : undefined;
        expect(
          inspection,
          'request',
          to === endpoint,
          'request-mismatch',
          `expected a request for a run that releases to ${endpoint}, got one to ${to ?? 'nowhere'}`,
        );
      });
    }
  }
  if (policy.requests === 'signed' && !found.run && !mayAskUnsigned(policy, 'run')) {
    const message = `expected the signed request of a runner of ${endpoint} for the run, got none`;
    fail(inspection, 'request', 'request-missing', message);
  }
  return found;
}

/**
 * Whoever let it out may: who asked for the run, or one of those who approved, is a releaser, and so is who asked for a rollback.
 * And `requestedBy` names nobody else.
 */
export function checkReleaser(
  inspection: Inspection,
  endpoint: string,
  { kind, requestedBy }: Pick<ReleaseRecord, 'kind' | 'requestedBy'>,
  requested: Requested,
  approvers: ReadonlySet<string>,
): void {
  const { policy } = inspection;
  const { people = [], requests = 'any' } = policy;
  if (requests !== 'signed' && !requested.run && !requested.rollback) return;
  const asker = kind === 'rollback' ? requested.rollback : requested.run;
  const unsigned = asker === undefined && mayAskUnsigned(policy, kind === 'rollback' ? 'rollback' : 'run');
  expect(
    inspection,
    'request',
    unsigned ? requestedBy.startsWith('unauthenticated') : requestedBy === asker?.name,
    'request-missing',
    `expected a ${kind} in the name of ${unsigned ? 'nobody, as it is not signed' : (asker?.name ?? 'somebody who signed a request')}, got one in that of ${requestedBy}`,
  );
  if (kind === 'rollback') return;
  const able = people.filter((person) => hasRole(person, 'releaser', endpoint)).map(({ name }) => name);
  const involved = [...(requested.run ? [requested.run.name] : []), ...approvers];
  expect(
    inspection,
    'request',
    unsigned || involved.some((name) => able.includes(name)),
    'role-missing',
    `expected a releaser of ${endpoint} (${able.join(', ') || 'the trust policy names none'}) among those who asked or approved, got ${involved.join(', ') || 'nobody'}`,
  );
}
