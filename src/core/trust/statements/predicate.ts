import { z } from 'zod';
import { type Digest, digestSchema } from '../../spec/index.js';
import type { StatementRole } from '../policy.js';

/** A kind of statement: what it is called, which role may make it, and what it says. */
export interface PredicateType<T> {
  /** URI; its last part is the major version. */
  readonly type: string;
  /** The role that a key needs to make this statement. */
  readonly role: StatementRole;
  /** Strict: a field that no check looks at must not look checked. */
  readonly schema: z.ZodType<T>;
}

/** A digest set of in-toto with the one algorithm that names artifacts here. */
export const digestSetSchema = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** An artifact by name and digest (in-toto attestation framework, ResourceDescriptor). */
export const descriptorSchema = z.strictObject({ name: z.string().min(1), digest: digestSetSchema });

export type Descriptor = z.infer<typeof descriptorSchema>;

export function descriptorOf(name: string, digest: Digest): Descriptor {
  return { name, digest: digestSetOf(digest) };
}

export function digestSetOf(digest: Digest): { sha256: string } {
  return { sha256: digest.slice('sha256:'.length) };
}

export function digestOfSet(set: { readonly sha256: string }): Digest {
  return digestSchema.parse(`sha256:${set.sha256}`);
}

/** The digest of the one descriptor of that name; undefined when there is none, or more than one. */
export function digestNamed(descriptors: readonly Descriptor[], name: string): Digest | undefined {
  const found = descriptors.filter((descriptor) => descriptor.name === name);
  return found.length === 1 ? digestOfSet(found[0]!.digest) : undefined;
}
