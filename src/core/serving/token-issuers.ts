import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { nameSchema } from '../spec/index.js';

/** Signatures that need no shared secret: a gateway that could check an HMAC could also make one. */
const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const mostSkewSeconds = 300;

const issuerSchema = z.strictObject({
  /** Names the issuer here, and begins the names of its clients. */
  name: nameSchema.max(30, 'expected at most 30 characters'),
  /** What its tokens say in `iss`, to the letter. */
  issuer: z.string().min(1),
  /** What its tokens for this gateway say in `aud`: a token for another service is of no use here. */
  audience: z.string().min(1),
  /** Where its public keys are: a file, or a URL that a JSON Web Key Set is fetched from. */
  keys: z.union([
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({
      url: z.url().refine((url) => isPrivate(new URL(url)), 'expected https, or a loopback address'),
    }),
  ]),
  algorithms: z
    .array(z.enum(algorithms))
    .min(1)
    .default([...algorithms]),
  /** How far its clock and this one may be apart. */
  clockSkewSeconds: z.int().min(0).max(mostSkewSeconds).default(30),
  /** What whomever it names may ask; without it, only the subjects that the clients file names are clients. */
  everyone: z
    .strictObject({ endpoints: z.union([z.literal('*'), z.array(nameSchema)]), scope: nameSchema.optional() })
    .optional(),
});

const issuersSchema = z.array(issuerSchema).superRefine((issuers, context) => {
  for (const key of ['name', 'issuer'] as const) {
    const values = issuers.map((issuer) => issuer[key]);
    for (const [index, value] of values.entries()) {
      if (values.indexOf(value) < index)
        context.addIssue({ code: 'custom', path: [index, key], message: `expected each ${key} once` });
    }
  }
});

/** Someone whose JSON Web Tokens say who a client is. */
export type TokenIssuer = z.infer<typeof issuerSchema>;

/**
 * Reads a file of token issuers: a JSON list.
 * @throws RefusedError `token-issuers-invalid` listing every problem
 */
export function readTokenIssuers(text: string): readonly TokenIssuer[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RefusedError('token-issuers-invalid', 'the file of token issuers is not JSON', [], {
      cause: error,
    });
  }
  const issuers = issuersSchema.safeParse(value);
  if (issuers.success) return issuers.data;
  const details = issuers.error.issues.map(
    (issue) => `${issue.path.map(String).join('.')}: ${issue.message}`,
  );
  throw new RefusedError(
    'token-issuers-invalid',
    `the file of token issuers is invalid: ${details[0]}`,
    details,
  );
}

function isPrivate({ protocol, hostname }: URL): boolean {
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  );
}
