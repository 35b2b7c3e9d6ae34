import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { nameSchema } from '../spec/index.js';
import { keyRecordSchema } from './api-key.js';

const clientSchema = z
  .strictObject({
    /** Who it is; it names the client in logs and budgets. */
    name: nameSchema,
    /** Several while one takes over from another. */
    keys: z.array(keyRecordSchema).default([]),
    /**
     * SHA-256 of the certificates that it shows over TLS, hex. Together with keys, both are needed: a stolen key is then of no use
     * without the certificate's private half (as RFC 8705 has it, section 3).
     */
    certificates: z
      .array(z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits'))
      .default([]),
    /** Whom tokens of a trusted issuer name. */
    subjects: z.array(z.strictObject({ issuer: nameSchema, subject: z.string().min(1) })).default([]),
    /** Whoever shows nothing at all is this client, and all of them share its budget. */
    anonymous: z.literal(true).optional(),
    /** The endpoints it may ask, or `*` for all. */
    endpoints: z.union([z.literal('*'), z.array(nameSchema)]),
    /** What endpoints reveal to it: see `serving.scopes` of a lifecycle. */
    scope: nameSchema.optional(),
  })
  .refine(
    ({ keys, certificates, subjects, anonymous }) =>
      keys.length + certificates.length + subjects.length > 0 !== (anonymous === true),
    { message: 'expected a key, a certificate or a subject, or else anonymous' },
  );

/** The clients file of a gateway. It holds no secret: a key cannot be had from its hash. */
const clientsSchema = z.array(clientSchema).superRefine((clients, context) => {
  const unique = {
    name: ({ name }: ApiClient) => [name],
    key: ({ keys }: ApiClient) => keys.map(({ sha256 }) => sha256),
    certificate: ({ certificates }: ApiClient) => certificates,
    subject: ({ subjects }: ApiClient) => subjects.map(({ issuer, subject }) => `${issuer} ${subject}`),
    'anonymous client': ({ anonymous }: ApiClient) => (anonymous ? ['it'] : []),
  };
  for (const [what, valuesOf] of Object.entries(unique)) {
    const seen = new Set<string>();
    for (const [index, client] of clients.entries()) {
      for (const value of valuesOf(client)) {
        if (seen.has(value))
          context.addIssue({ code: 'custom', path: [index], message: `expected each ${what} once` });
        seen.add(value);
      }
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
