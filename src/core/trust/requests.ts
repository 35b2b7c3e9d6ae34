import { RefusedError } from '../errors/index.js';
import type { Digest } from '../spec/index.js';
import { digestOf } from '../store/index.js';
import { type Person, type RequestAction, requireRole, roleNeeded } from './people.js';
import type { TrustPolicy } from './policy.js';
import type { Signer } from './signers/signer.js';
import { openStatement, signStatement } from './statement.js';
import { descriptorOf, digestOfSet } from './statements/predicate.js';
import { type Request, requestPredicate } from './statements/request.js';

/** How far the clock of whoever asks may be ahead. */
const clockSkewMs = 2 * 60_000;
/** A request that is carried by hand takes its time; one that is good for longer is a standing permission. */
const longestLifeMs = 24 * 3_600_000;

/** What somebody wants to ask; time and nonce are added when it is signed. */
export type RequestDraft = Omit<Request, 'issuedAt' | 'expires' | 'nonce'> & {
  /** What it is about; the endpoint itself where it is absent. */
  readonly subject?: Digest | undefined;
};

/**
 * Signs a request.
 *
 * @param lifetimeMs - how long it may be sent, at most a day
 * @param nonce - 32 hex digits, random
 * @returns the bundle as text: what updates take as `signed`
 */
export async function signRequest(
  signer: Signer,
  { subject, ...asked }: RequestDraft,
  { now, lifetimeMs, nonce }: { readonly now: Date; readonly lifetimeMs: number; readonly nonce: string },
): Promise<string> {
  const about = descriptorOf(subject ? 'subject' : 'endpoint', subject ?? endpointDigest(asked.endpoint));
  const bundle = await signStatement(signer, requestPredicate, about, {
    ...asked,
    issuedAt: now.toISOString(),
    expires: new Date(now.getTime() + lifetimeMs).toISOString(),
    nonce,
  });
  return Buffer.from(bundle).toString();
}

/** What stands for an endpoint as such. */
export function endpointDigest(endpoint: string): Digest {
  return digestOf(endpoint);
}

/** What a request must be, for whoever is asked to grant it. */
export interface ExpectedRequest {
  readonly actions: readonly RequestAction[];
  readonly endpoint: string;
  readonly run?: string | undefined;
  /** What it must be about; the endpoint itself where it is absent. */
  readonly subject?: Digest | undefined;
  readonly verification?: Digest | undefined;
}

/** A request by a person who may ask for it. Whether it was granted before, its reader has to know. */
export interface OpenedRequest {
  readonly person: Person;
  readonly subject: Digest;
  readonly request: Request;
}

/**
 * Opens a request: signature, person, time, what it is for, and whether the person has the role.
 *
 * @param at - by the clock of whoever is asked
 * @throws RefusedError what `openStatement` throws, `trust-policy-expired`, `person-unknown`, `request-expired`,
 * `request-mismatch` or `role-missing`
 */
export function openRequest(
  bundle: Uint8Array,
  policy: TrustPolicy,
  expected: ExpectedRequest,
  at: Date,
): OpenedRequest {
  requireValidPolicy(policy, at);
  const { predicate: request, subject, signer } = openStatement(bundle, policy, requestPredicate, at);
  const { person } = signer;
  if (!person) {
    throw new RefusedError(
      'person-unknown',
      `expected a request by one of the people of the trust policy, got one by ${signer.id}`,
    );
  }
  requireTimely(request, at);
  const about = digestOfSet(subject.digest);
  const meant: readonly (readonly [string, unknown, unknown])[] = [
    ['endpoint', expected.endpoint, request.endpoint],
    ['run', expected.run, request.run],
    ['subject', expected.subject ?? endpointDigest(expected.endpoint), about],
    ['verification', expected.verification, request.verification],
  ];
  if (!expected.actions.includes(request.action)) {
    throw mismatch('action', expected.actions.join(' or '), request.action);
  }
  for (const [what, wanted, got] of meant) if (wanted !== got) throw mismatch(what, wanted, got);
  // A key may be held to fewer endpoints than its owner.
  openStatement(bundle, policy, requestPredicate, at, request.endpoint);
  requireRole(policy, person, roleNeeded[request.action], request.endpoint);
  return { person, subject: about, request };
}

/** @throws RefusedError `trust-policy-expired` */
export function requireValidPolicy({ expires }: TrustPolicy, at: Date): void {
  if (expires === undefined || at <= new Date(expires)) return;
  throw new RefusedError(
    'trust-policy-expired',
    `expected a trust policy that is valid at ${at.toISOString()}, got one that expired at ${expires}`,
  );
}

function requireTimely({ issuedAt, expires }: Request, at: Date): void {
  const [from, until] = [new Date(issuedAt).getTime(), new Date(expires).getTime()];
  if (from - clockSkewMs <= at.getTime() && at.getTime() <= until && until - from <= longestLifeMs) return;
  throw new RefusedError(
    'request-expired',
    `expected a request of at most a day that is good at ${at.toISOString()}, got one from ${issuedAt} to ${expires}`,
  );
}

function mismatch(what: string, wanted: unknown, got: unknown): RefusedError {
  return new RefusedError(
    'request-mismatch',
    `expected a request for the ${what} ${wanted ?? 'none'}, got one for ${got ?? 'none'}`,
  );
}
