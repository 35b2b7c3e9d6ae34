import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { nameSchema } from '../spec/index.js';

const clientSchema = z.strictObject({
  /** Who holds the key; it names the client in logs. */
  name: nameSchema,
  /** SHA-256 of the key, hex. A key is 256 random bits, so that guessing, not hashing, is what costs an attacker. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits'),
  /** The key's first characters, for people to recognise it by. */
  prefix: z.string().min(1).max(16),
  /** The endpoints it may ask, or `*` for all. */
  endpoints: z.union([z.literal('*'), z.array(nameSchema)]),
  /** What endpoints reveal to it: see `serving.scopes` of a lifecycle. */
  scope: nameSchema.optional(),
  createdAt: z.iso.datetime(),
});

/** The clients file of a gateway. It holds no secret: a key cannot be had from its hash. */
const clientsSchema = z.array(clientSchema).superRefine((clients, context) => {
  for (const field of ['name', 'sha256'] as const) {
    const seen = new Set<string>();
    for (const [index, client] of clients.entries()) {
      if (seen.has(client[field])) {
        context.addIssue({ code: 'custom', path: [index, field], message: `expected each ${field} once` });
      }
      seen.add(client[field]);
    }
  }
});

/** Someone who may ask for predictions. */
export type ApiClient = z.infer<typeof clientSchema>;

/**
 * Reads a clients file.
 * @throws RefusedError `clients-invalid` listing every problem
 */
export function readClients(text: string): readonly ApiClient[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RefusedError('clients-invalid', 'the clients file is not JSON', [], { cause: error });
  }
  const clients = clientsSchema.safeParse(value);
  if (clients.success) return clients.data;
  const details = clients.error.issues.map(
    (issue) => `${issue.path.map(String).join('.')}: ${issue.message}`,
  );
  throw new RefusedError('clients-invalid', `the clients file is invalid: ${details[0]}`, details);
}

const keyPattern = /^assay_[A-Za-z0-9_-]{43}$/;

/** A new key, shown once to its holder, and the record that a gateway keeps instead. */
export interface GeneratedApiKey {
  readonly key: string;
  readonly client: ApiClient;
}

/**
 * Makes an API key: `assay_` and 256 random bits in base64url, recognisable to secret scanners.
 * @param randomBytes - a cryptographic source, such as `randomBytes` of node:crypto
 */
export function generateApiKey(
  client: Pick<ApiClient, 'name' | 'endpoints' | 'scope'>,
  now: Date,
  randomBytes: (bytes: number) => Uint8Array,
): GeneratedApiKey {
  const key = `assay_${Buffer.from(randomBytes(32)).toString('base64url')}`;
  return {
    key,
    client: {
      name: client.name,
      sha256: hashApiKey(key),
      prefix: key.slice(0, 12),
      endpoints: client.endpoints,
      ...(client.scope && { scope: client.scope }),
      createdAt: now.toISOString(),
    },
  };
}

/** SHA-256 of a key, hex. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Finds who is speaking. Hashes are compared in constant time, with every client, so that the time it takes tells
 * neither how much of a key was right nor whose it is.
 *
 * @param authorization - the header's value: `Bearer assay_…`
 * @throws RefusedError `unauthenticated`, the same for a missing, a malformed and an unknown key
 */
export function authenticate(clients: readonly ApiClient[], authorization: string | undefined): ApiClient {
  const [scheme, key, ...rest] = authorization?.split(' ') ?? [];
  const wellFormed = scheme?.toLowerCase() === 'bearer' && rest.length === 0 && keyPattern.test(key ?? '');
  const hash = Buffer.from(hashApiKey(key ?? ''), 'hex');
  const matches = clients.filter((client) => timingSafeEqual(Buffer.from(client.sha256, 'hex'), hash));
  const [client] = matches;
  if (!wellFormed || client === undefined) {
    throw new RefusedError('unauthenticated', 'expected an API key of this gateway');
  }
  return client;
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
