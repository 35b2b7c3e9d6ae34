import { timingSafeEqual } from 'node:crypto';
import { RefusedError, TransientError } from '../errors/index.js';
import type { ApiClient } from './api-clients.js';
import { hashApiKey, keyPattern } from './api-key.js';
import { clientOf, type TrustedIssuer, verifyToken } from './token.js';

/** What a request shows of who sent it. */
export interface Credentials {
  /** The header's value: `Bearer assay_…`, or `Bearer` and a JSON Web Token. */
  readonly authorization?: string | undefined;
  /** SHA-256 of the client's certificate, hex, where TLS verified one. */
  readonly certificate?: string | undefined;
}

/** Whom a gateway believes. */
export interface KnownSpeakers {
  readonly clients: readonly ApiClient[];
  readonly issuers: readonly TrustedIssuer[];
}

/**
 * Finds who is speaking. Hashes are compared in constant time, with every key, so that the time it takes tells neither how much of a
 * key was right nor whose it is. Whoever shows credentials that are wrong is nobody, not even anonymous.
 *
 * @throws RefusedError `unauthenticated`, the same for whatever is missing, malformed, unknown or expired
 * @throws TransientError when the keys of a token's issuer cannot be had
 */
export async function authenticate(
  known: KnownSpeakers,
  { authorization, certificate }: Credentials,
  now: Date,
): Promise<ApiClient> {
  const { clients } = known;
  if (authorization === undefined) {
    const client =
      clients.find((candidate) => isKnownByCertificate(candidate, certificate)) ??
      clients.find(({ anonymous }) => anonymous);
    return client ?? refuse();
  }
  const [scheme, credential = '', ...rest] = authorization.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || rest.length > 0) return refuse();
  const { holder, certificates } = keyPattern.test(credential)
    ? holderOfKey(clients, credential, now)
    : await holderOfToken(known, credential, now);
  const shown = certificates.every((bound) => bound.includes(certificate ?? ''));
  return holder && shown ? holder : refuse();
}

function refuse(cause?: unknown): never {
  throw new RefusedError('unauthenticated', 'expected credentials that this gateway knows', [], { cause });
}

function isKnownByCertificate(
  { keys, subjects, certificates }: ApiClient,
  certificate: string | undefined,
): boolean {
  return (
    certificate !== undefined && keys.length + subjects.length === 0 && certificates.includes(certificate)
  );
}

/** Who holds a credential, and the certificates of each list of which one must be shown beside it. */
interface Holder {
  readonly holder: ApiClient | undefined;
  readonly certificates: readonly (readonly string[])[];
}

function holderOfKey(clients: readonly ApiClient[], key: string, now: Date): Holder {
  const hash = Buffer.from(hashApiKey(key), 'hex');
  const [holder] = clients.filter(
    ({ keys }) =>
      keys.filter(
        ({ sha256, expiresAt }) =>
          timingSafeEqual(Buffer.from(sha256, 'hex'), hash) &&
          (expiresAt === undefined || now < new Date(expiresAt)),
      ).length > 0,
  );
  return { holder, certificates: boundTo(holder) };
}

async function holderOfToken({ clients, issuers }: KnownSpeakers, token: string, now: Date): Promise<Holder> {
  if (issuers.length === 0) refuse();
  try {
    const proven = await verifyToken(issuers, token, now);
    const holder = clientOf(clients, proven);
    const { certificate } = proven;
    return {
      holder,
      certificates: [...boundTo(holder), ...(certificate === undefined ? [] : [[certificate]])],
    };
  } catch (error) {
    if (error instanceof TransientError) throw error;
    return refuse(error);
  }
}

function boundTo(client: ApiClient | undefined): readonly (readonly string[])[] {
  return client && client.certificates.length > 0 ? [client.certificates] : [];
}

/**
 * Checks that a client may ask an endpoint, without saying whether the endpoint exists.
 * @throws RefusedError `forbidden`
 */
export function authorize(client: ApiClient, endpoint: string): void {
  if (client.endpoints !== '*' && !client.endpoints.includes(endpoint)) {
    throw new RefusedError('forbidden', `the key of ${client.name} does not cover this endpoint`);
  }
}
