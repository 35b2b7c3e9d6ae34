import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Digest } from '../spec/index.js';

/** The digest of some bytes, or of a text's UTF-8 bytes. */
export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** The one text of a JSON value: RFC 8785 (JCS). @throws TypeError for what JSON cannot say */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('expected a JSON value, got undefined');
  return text;
}

/** The digest of a JSON value's canonical text: equal values have equal digests. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}
