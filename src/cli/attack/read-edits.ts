import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { TextAdversary } from '../../core/attacks/index.js';
import { RefusedError } from '../../core/errors/index.js';

const word = z.string().min(1).max(200);
const editsSchema = z.strictObject({
  words: z.int().min(1).max(1000).default(1),
  characters: z.boolean().default(false),
  synonyms: z.record(word, z.array(word)).default({}),
});

/**
 * Reads what an adversary may do to a text: `{"words": 1, "characters": true, "synonyms": {"good": ["fine"]}}`.
 *
 * @throws RefusedError `source-missing`, or `usage` when it is no such file
 */
export async function readEdits(file: string): Promise<TextAdversary> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new RefusedError('source-missing', `expected the file of edits ${file}, got none`, [], { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RefusedError('usage', `${file}: expected JSON`);
  }
  const parsed = editsSchema.safeParse(value);
  if (!parsed.success) {
    const details = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`);
    throw new RefusedError('usage', `${file}: ${details[0]}`, details);
  }
  const { words, characters, synonyms } = parsed.data;
  if (!characters && Object.keys(synonyms).length === 0) {
    throw new RefusedError('usage', `${file}: expected characters: true, or synonyms, got no edit at all`);
  }
  const lower = Object.entries(synonyms).map(([name, others]) => [name.toLowerCase(), others] as const);
  return { words, characters, synonyms: new Map(lower) };
}
