import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { canonicalJson } from '../store/index.js';
import { intotoPayloadType, openEnvelope, requireMay, signEnvelope } from './envelope.js';
import type { TrustPolicy } from './policy.js';
import type { TrustedSigner } from './signed-by/trusted-signer.js';
import type { Signer } from './signers/signer.js';
import { predicateTypes } from './statements/index.js';
import { type Descriptor, descriptorSchema, type PredicateType } from './statements/predicate.js';
import { parseStrictJson } from './strict-json.js';

const statementType = 'https://in-toto.io/Statement/v1';

const statementSchema = z.strictObject({
  _type: z.literal(statementType),
  /** Exactly one: a list would leave open which of them a check was about. */
  subject: z.tuple([descriptorSchema]),
  predicateType: z.string(),
  predicate: z.unknown(),
});

/** A statement whose signature, signer's role and shape were checked. Whether it is true of anything comes next. */
export interface OpenedStatement<T> {
  readonly type: PredicateType<T>;
  readonly subject: Descriptor;
  readonly predicate: T;
  readonly signer: TrustedSigner;
}

/**
 * Signs an in-toto statement and returns the bytes of its bundle.
 *
 * @throws RefusedError `statement-invalid` when no verifier would read the predicate
 */
export async function signStatement<T>(
  signer: Signer,
  type: PredicateType<T>,
  subject: Descriptor,
  predicate: T,
): Promise<Uint8Array> {
  const statement = {
    _type: statementType,
    subject: [descriptorSchema.parse(subject)],
    predicateType: type.type,
    predicate: parsePredicate(type, predicate),
  };
  return signEnvelope(signer, intotoPayloadType, Buffer.from(canonicalJson(statement)));
}

/**
 * Opens a statement of any known type: signature first, then shape, then whether the signer may say such a thing.
 *
 * @throws RefusedError what `openEnvelope` throws, `statement-invalid`, `statement-type` or `key-not-allowed`
 */
export function readStatement(bundle: Uint8Array, policy: TrustPolicy, now: Date): OpenedStatement<unknown> {
  const { payload, signer } = openEnvelope(bundle, policy, now);
  const { predicateType, subject, predicate } = parseStatement(payload);
  const type = predicateTypes.find((known) => known.type === predicateType);
  if (!type) {
    throw new RefusedError(
      'statement-type',
      `expected a known type of statement, got ${JSON.stringify(predicateType)}`,
    );
  }
  requireMay(signer, type.role);
  const parsed = parsePredicate(type, predicate);
  requireOwnName(signer, parsed);
  return { type, subject: subject[0], predicate: parsed, signer };
}

/** Whoever is known by name speaks in no other: a name in a statement is a claim otherwise. */
function requireOwnName({ person }: TrustedSigner, predicate: unknown): void {
  const claimed = (predicate as { readonly person?: unknown } | null)?.person;
  if (!person || claimed === undefined || claimed === person.name) return;
  throw new RefusedError(
    'person-mismatch',
    `expected a statement in the name of ${person.name}, got ${claimed}`,
  );
}

/**
 * Opens a statement that must be of one type and, where an endpoint is named, by a signer who may speak for it.
 *
 * @throws RefusedError what {@link readStatement} throws
 */
export function openStatement<T>(
  bundle: Uint8Array,
  policy: TrustPolicy,
  type: PredicateType<T>,
  now: Date,
  endpoint?: string,
): OpenedStatement<T> {
  const opened = readStatement(bundle, policy, now);
  if (opened.type.type !== type.type) {
    throw new RefusedError(
      'statement-type',
      `expected a statement of type ${type.type}, got ${opened.type.type}`,
    );
  }
  requireMay(opened.signer, type.role, endpoint);
  return { ...opened, type, predicate: opened.predicate as T };
}

function parseStatement(payload: Uint8Array): z.infer<typeof statementSchema> {
  let json: unknown;
  try {
    json = parseStrictJson(payload);
  } catch (error) {
    throw new RefusedError('statement-invalid', `expected a JSON statement: ${(error as Error).message}`);
  }
  const parsed = statementSchema.safeParse(json);
  if (!parsed.success) {
    throw new RefusedError(
      'statement-invalid',
      `expected an in-toto statement: ${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data;
}

function parsePredicate<T>(type: PredicateType<T>, predicate: unknown): T {
  const parsed = type.schema.safeParse(predicate);
  if (parsed.success) return parsed.data;
  throw new RefusedError(
    'statement-invalid',
    `expected a predicate of type ${type.type}: ${z.prettifyError(parsed.error)}`,
  );
}
