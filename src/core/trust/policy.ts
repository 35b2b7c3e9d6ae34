import { TrustedRoot } from '@sigstore/protobuf-specs';
import { parse as parseYaml, stringify as stringifyYaml } from 'yaml';
import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { digestSchema, gatesSchema, nameSchema } from '../spec/index.js';
import { readCertificate } from './certificates.js';
import { keyIdOf } from './keys.js';
import { type Person, personSchema, requestActions } from './people.js';

export const statementRoles = [
  'request',
  'source',
  'data',
  'model',
  'provenance',
  'test',
  'verification',
  'approval',
  'waiver',
  'revocation',
  'release',
  'policy',
  'audit',
] as const;
/** What a key may vouch for. */
export type StatementRole = (typeof statementRoles)[number];

const grant = {
  /** Which statements this signer may make. */
  roles: z.array(z.enum(statementRoles)).min(1),
  /** Which endpoints it may speak for; all when absent. */
  endpoints: z.array(nameSchema).optional(),
};

/** What a signer may vouch for. */
export type Grant = Readonly<z.infer<z.ZodObject<typeof grant>>>;

const certificatePem = z.string().superRefine((pem, context) => {
  try {
    readCertificate(pem);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

/** The `TrustedRoot` of a Sigstore instance, as its maintainers publish it (protobuf-specs, JSON). */
const trustedRootSchema = z.looseObject({}).superRefine((root, context) => {
  try {
    const { certificateAuthorities, tlogs, timestampAuthorities } = TrustedRoot.fromJSON(root);
    if (certificateAuthorities.length > 0 && tlogs.length + timestampAuthorities.length > 0) return;
    throw new TypeError('an authority, and a log or a time-stamp authority, are missing');
  } catch (error) {
    const message = `expected a Sigstore TrustedRoot: ${(error as Error).message}`;
    context.addIssue({ code: 'custom', message });
  }
});

const policyShape = z.strictObject({
  version: z.literal(1),
  /** Counts up with each successor; see `succession.ts`. */
  revision: z.int().min(1).default(1),
  /** Nothing is newly believed after that: whoever withholds successors cannot keep a verifier on an old policy. */
  expires: z.iso.datetime().optional(),
  /** Signers with the role `policy` that it takes to replace this policy. */
  successionThreshold: z.int().min(1).max(16).default(1),
  /** Models, snapshots and statements that are not to be believed any more, however well signed. */
  revoked: z.array(digestSchema).default([]),
  keys: z
    .array(
      z.strictObject({
        /** SHA-256 of the PEM text, hex: the hint in every bundle. */
        id: z.string().regex(/^[0-9a-f]{64}$/),
        /** SubjectPublicKeyInfo, PEM. */
        publicKey: z.string(),
        ...grant,
      }),
    )
    .min(1)
    .superRefine((keys, context) => {
      for (const [index, { id, publicKey }] of keys.entries()) {
        const problem = keyProblem(id, publicKey);
        if (problem) context.addIssue({ code: 'custom', path: [index, 'id'], message: problem });
        if (keys.findIndex((key) => key.id === id) !== index) {
          context.addIssue({
            code: 'custom',
            path: [index, 'id'],
            message: `expected each key once, got ${id} again`,
          });
        }
      }
    }),
  /** Signers that are known by a certificate of one's own authority. */
  certificates: z
    .strictObject({
      /** PEM; nothing else is believed, whatever the operating system trusts. */
      roots: z.array(certificatePem).min(1),
      identities: z
        .array(
          z.strictObject({
            /** The one alternative name of the certificate, compared as a whole. */
            subject: z
              .string()
              .regex(
                /^(email|URI|DNS):\S+$/,
                'expected email:…, URI:… or DNS:… and the name in the certificate',
              ),
            ...grant,
          }),
        )
        .min(1),
    })
    .optional(),
  /** Signers that an identity provider vouches for (Sigstore). */
  keyless: z
    .strictObject({
      trustedRoot: trustedRootSchema,
      identities: z
        .array(
          z.strictObject({
            /** Mail address or workflow, compared as a whole. */
            subject: z.string().min(1),
            /** The identity provider. */
            issuer: z.url(),
            ...grant,
          }),
        )
        .min(1),
    })
    .optional(),
  /** Who may ask for what. Where nobody is named, nobody may, and `requestedBy` is no more than a claim. */
  people: z.array(personSchema).min(1).optional(),
  /** What people may ask for who cannot sign, as in the Temporal UI; see `people.ts` for what is allowed by default. */
  unsigned: z.strictObject({ allow: z.array(z.enum(requestActions)) }).optional(),
  /** `signed`: what is released must carry the signed requests of the people who asked for it. */
  requests: z.enum(['signed', 'any']).optional(),
  /** `none`: who asked for a run, or signed what came of it, may approve it too. For installations of one person. */
  separationOfDuties: z.enum(['enforced', 'none']).optional(),
  /** Per endpoint: the gates a model must have passed, at least this strictly. */
  endpoints: z
    .record(
      nameSchema,
      z.strictObject({
        gates: gatesSchema.optional(),
        /**
         * Whether a person must have said yes; or how many, each under a key or certificate of their own, and none of
         * them having signed what is approved.
         */
        approval: z.union([z.boolean(), z.strictObject({ threshold: z.int().min(1).max(16) })]).optional(),
        /** `signed`: models come of sources only for which a signer with the role `source` stands. */
        sources: z.enum(['any', 'signed']).optional(),
        /** Gates, by name, that people with the role `waiver` may let pass though they did not. */
        waivable: z
          .array(
            z.strictObject({
              gate: nameSchema,
              /** `fail` lets through what is known to be bad. */
              status: z.enum(['inconclusive', 'fail']).default('inconclusive'),
            }),
          )
          .optional(),
      }),
    )
    .default({}),
});

/** `trust.yaml`: whom a verifier believes, about what. Verifiers hold it; it never comes from the store. */
export const trustPolicySchema = policyShape.superRefine(({ people = [], ...policy }, context) => {
  const complain = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path: ['people', ...path], message });
  const known = new Set([
    ...policy.keys.map(({ id }) => id),
    ...(policy.certificates?.identities ?? []).map(({ subject }) => subject),
    ...(policy.keyless?.identities ?? []).map(({ subject, issuer }) => `${subject} (${issuer})`),
  ]);
  const owners = new Map<string, string>();
  for (const [index, { name, signers }] of people.entries()) {
    if (people.findIndex((person) => person.name === name) !== index) {
      complain([index, 'name'], `expected each person once, got ${name} again`);
    }
    for (const signer of signers) {
      if (!known.has(signer)) complain([index, 'signers'], `expected signers of this policy, got ${signer}`);
      const owner = owners.get(signer);
      if (owner !== undefined)
        complain([index, 'signers'], `expected signers of ${name} alone, got one of ${owner}`);
      owners.set(signer, name);
    }
  }
});

export type TrustPolicy = z.infer<typeof trustPolicySchema>;

/** What of a policy is about people. */
export type AccessBlock = Partial<
  Pick<TrustPolicy, 'people' | 'unsigned' | 'requests' | 'separationOfDuties'>
>;

/** A public key and what it may vouch for: everything, everywhere, unless said otherwise. */
export interface KeyGrant {
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
  readonly roles?: readonly StatementRole[];
  readonly endpoints?: readonly string[];
}

/**
 * Makes the policy that believes these keys.
 *
 * @throws RefusedError `key-invalid` or `trust-policy-invalid`
 */
export function createTrustPolicy(
  keys: readonly KeyGrant[],
  endpoints: z.input<typeof trustPolicySchema>['endpoints'] = {},
  access: AccessBlock = {},
): TrustPolicy {
  return checkPolicy({
    version: 1,
    keys: keys.map(({ publicKey, roles = statementRoles, endpoints: speaksFor }) => ({
      id: keyIdOf(publicKey),
      publicKey,
      roles,
      ...(speaksFor && { endpoints: speaksFor }),
    })),
    endpoints,
    ...access,
  });
}

/** The access of an installation that one person has to themselves: every role, and nobody else to approve. */
export function accessOfOne(name: string, publicKey: string): AccessBlock {
  const person: Person = {
    name,
    signers: [keyIdOf(publicKey)],
    roles: { '*': ['viewer', 'runner', 'approver', 'releaser', 'admin'] },
  };
  return { people: [person], requests: 'signed', separationOfDuties: 'none' };
}

/**
 * Reads a policy from YAML or JSON.
 *
 * @throws RefusedError `trust-policy-invalid`, with every problem as a detail
 */
export function readTrustPolicy(text: string): TrustPolicy {
  let content: unknown;
  try {
    // No aliases: a few lines of them expand to gigabytes.
    content = parseYaml(text, { uniqueKeys: true, maxAliasCount: 0, logLevel: 'error' });
  } catch (error) {
    throw new RefusedError('trust-policy-invalid', `expected YAML: ${(error as Error).message}`);
  }
  return checkPolicy(content);
}

/** The YAML text of a policy, which {@link readTrustPolicy} reads back as the same policy. */
export function writeTrustPolicy(policy: TrustPolicy): string {
  return stringifyYaml(policy);
}

function checkPolicy(content: unknown): TrustPolicy {
  const parsed = trustPolicySchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || '(whole policy)'}: ${message}`,
  );
  throw new RefusedError('trust-policy-invalid', `expected a trust policy, got ${details[0]}`, details);
}

/** A key under another key's id would speak in that key's name. */
function keyProblem(id: string, publicKey: string): string | undefined {
  try {
    const actual = keyIdOf(publicKey);
    return actual === id ? undefined : `expected ${actual}, the id of this public key, got ${id}`;
  } catch (error) {
    if (error instanceof RefusedError) return error.message;
    throw error;
  }
}
