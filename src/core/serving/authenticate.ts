import { timingSafeEqual } from 'node:crypto';
import { RefusedError } from '../errors/index.js';
import type { ApiClient } from './api-clients.js';
import { hashApiKey, keyPattern } from './api-key.js';

/** What a request shows of who sent it. */
export interface Credentials {
  /** The header's value: `Bearer assay_…`. */
  readonly authorization?: string | undefined;
  /** SHA-256 of the client's certificate, hex, where TLS verified one. */
  readonly certificate?: string | undefined;
}

/**
 * Finds who is speaking. Hashes are compared in constant time, with every key, so that the time it takes tells neither how much of a
 * key was right nor whose it is.
 *
 * @throws RefusedError `unauthenticated`, the same for whatever is missing, malformed, unknown or expired
 */
export function authenticate(
  clients: readonly ApiClient[],
  { authorization, certificate }: Credentials,
  now: Date,
): ApiClient {
  const holder =
    authorization === undefined && certificate !== undefined
      ? clients.find(({ keys, certificates }) => keys.length === 0 && certificates.includes(certificate))
      : holderOf(clients, authorization, now);
  const bound = holder && holder.certificates.length > 0;
  if (holder && (!bound || (certificate !== undefined && holder.certificates.includes(certificate))))
    return holder;
  throw new RefusedError('unauthenticated', 'expected an API key of this gateway');
}

function holderOf(
  clients: readonly ApiClient[],
  authorization: string | undefined,
  now: Date,
): ApiClient | undefined {
  const [scheme, key, ...rest] = authorization?.split(' ') ?? [];
  const wellFormed = scheme?.toLowerCase() === 'bearer' && rest.length === 0 && keyPattern.test(key ?? '');
  const hash = Buffer.from(hashApiKey(key ?? ''), 'hex');
  const matches = clients.filter(
    ({ keys }) =>
      keys.filter(
        ({ sha256, expiresAt }) =>
          timingSafeEqual(Buffer.from(sha256, 'hex'), hash) &&
          (expiresAt === undefined || now < new Date(expiresAt)),
      ).length > 0,
  );
  return wellFormed ? matches[0] : undefined;
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
