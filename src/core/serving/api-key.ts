import { createHash } from 'node:crypto';
import { z } from 'zod';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');

/** What a gateway keeps of an API key: nothing from which it could be had. */
export const keyRecordSchema = z.strictObject({
  /** SHA-256 of the key, hex. A key is 256 random bits, so that guessing, not hashing, is what costs an attacker. */
  sha256: sha256Schema,
  /** The key's first characters, for people to recognise it by. */
  prefix: z.string().min(1).max(16),
  createdAt: z.iso.datetime(),
  /** From then on the key is nobody's. */
  expiresAt: z.iso.datetime().optional(),
});
export type KeyRecord = z.infer<typeof keyRecordSchema>;

export const keyPattern = /^assay_[A-Za-z0-9_-]{43}$/;

/** A new key, shown once to its holder, and the record that a gateway keeps instead. */
export interface GeneratedApiKey {
  readonly key: string;
  readonly record: KeyRecord;
}

/**
 * Makes an API key: `assay_` and 256 random bits in base64url, recognisable to secret scanners.
 * @param randomBytes - a cryptographic source, such as `randomBytes` of node:crypto
 */
export function generateApiKey(now: Date, randomBytes: (bytes: number) => Uint8Array): GeneratedApiKey {
  const key = `assay_${Buffer.from(randomBytes(32)).toString('base64url')}`;
  const record = { sha256: hashApiKey(key), prefix: key.slice(0, 12), createdAt: now.toISOString() };
  return { key, record };
}

/** SHA-256 of a key, hex. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
