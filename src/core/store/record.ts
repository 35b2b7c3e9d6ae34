import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { digestSchema } from '../spec/index.js';
import type { Backend } from './backend.js';
import { canonicalJson, digestOfJson } from './digest.js';
import { collect } from './durable-files.js';

/** Bytes. */
const LARGEST_RECORD = 16 * 2 ** 20;

const recordSchema = z.strictObject({ content: z.unknown(), digest: digestSchema });

/**
 * A small JSON value under a key that does not name its bytes (a ref's version, an outcome). It carries its own
 * digest, so that a flipped bit on a disk is never taken for a decision. This guards against accidents; against people
 * it is the signatures inside that count.
 */
export async function createRecord(
  backend: Backend,
  key: string,
  content: unknown,
): Promise<'created' | 'exists'> {
  return backend.create(key, Buffer.from(canonicalJson({ content, digest: digestOfJson(content) })));
}

/** @throws RefusedError `record-corrupt` */
export async function readRecord(backend: Backend, key: string): Promise<{ content: unknown } | undefined> {
  const stream = await backend.read(key);
  if (!stream) return undefined;
  const bytes = await collect(
    stream,
    LARGEST_RECORD,
    () => new RefusedError('record-corrupt', `expected at most ${LARGEST_RECORD} bytes at ${key}, got more`),
  );
  const record = parseRecord(bytes.toString());
  if (!record)
    throw new RefusedError('record-corrupt', `expected a record with its digest at ${key}, got other bytes`);
  return record;
}

function parseRecord(text: string): { content: unknown } | undefined {
  try {
    const { content, digest } = recordSchema.parse(JSON.parse(text));
    return digestOfJson(content) === digest ? { content } : undefined;
  } catch {
    return undefined;
  }
}
