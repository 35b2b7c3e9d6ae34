import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { digestSchema } from '../core/spec/index.js';
import { digestOfJson, type Store } from '../core/store/index.js';
import { followPolicy, readTrustPolicy, type TrustPolicy } from '../core/trust/index.js';
import { replaceFile } from './replace-file.js';

const memorySchema = z.strictObject({ pinned: digestSchema, policy: z.string() });

/**
 * The policy that a gateway believes now: the one in its file, which is read each time, or the newest of its signed successors
 * in the store. Successors are remembered, so that a store which has lost them, or hides them, does not bring old policies
 * back; an operator who changes the file starts anew from there.
 *
 * @param memory - file for the newest successor; without one a restart forgets it
 * @throws RefusedError `trust-policy-invalid`; TransientError when the store does not answer
 */
export async function believedPolicy(
  store: Store,
  file: string,
  memory: string | undefined,
  now: Date,
): Promise<TrustPolicy> {
  const pinned = readTrustPolicy(await readFile(file, 'utf8'));
  const digest = digestOfJson(pinned);
  const remembered = memory === undefined ? undefined : await recall(memory);
  const from = remembered?.pinned === digest ? readTrustPolicy(remembered.policy) : pinned;
  const newest = await followPolicy(store, from, now);
  if (memory !== undefined && newest.revision > from.revision) {
    await replaceFile(memory, JSON.stringify({ pinned: digest, policy: JSON.stringify(newest) }));
  }
  return newest;
}

async function recall(memory: string): Promise<z.infer<typeof memorySchema> | undefined> {
  let text: string;
  try {
    text = await readFile(memory, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return memorySchema.parse(JSON.parse(text));
}
