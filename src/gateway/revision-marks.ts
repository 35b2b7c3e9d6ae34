import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { RefusedError } from '../core/errors/index.js';
import { digestSchema, nameSchema } from '../core/spec/index.js';
import { replaceFile } from './replace-file.js';

const markSchema = z.strictObject({ revision: z.int().min(1), release: digestSchema });
const fileSchema = z.strictObject({ version: z.literal(1), endpoints: z.record(nameSchema, markSchema) });

/** The newest revision of an endpoint that a gateway accepted: it serves this one or a newer one, never an older. */
export type RevisionMark = z.infer<typeof markSchema>;

/** What a gateway must not forget. Marks only rise. */
export interface RevisionMarks {
  readonly endpoints: () => readonly string[];
  readonly get: (endpoint: string) => RevisionMark | undefined;
  /** Resolves when the mark would survive a crash; only then may the revision be served. */
  readonly raise: (endpoint: string, mark: RevisionMark) => Promise<void>;
}

/** Marks that end with the process: whoever can restart it and rewrite the store's refs can take it back. */
export function marksInMemory(
  initial: Readonly<Record<string, RevisionMark>> = {},
  save: (marks: ReadonlyMap<string, RevisionMark>) => Promise<void> = async () => {},
): RevisionMarks {
  const marks = new Map(Object.entries(initial));
  // One write at a time, in the order of the decisions, so that no older state lands last.
  let saved: Promise<void> = Promise.resolve();
  return {
    endpoints: () => [...marks.keys()],
    get: (endpoint) => marks.get(endpoint),
    async raise(endpoint, mark) {
      const known = marks.get(endpoint);
      const older = known !== undefined && mark.revision < known.revision;
      const twin = mark.revision === known?.revision && mark.release !== known.release;
      if (older || twin) {
        throw new RefusedError(
          'release-unverified',
          `expected a revision of ${endpoint} above ${known?.revision}, got ${mark.revision}`,
        );
      }
      // Raised before it is saved: should saving fail, this process still never goes back.
      marks.set(endpoint, mark);
      saved = saved.catch(() => undefined).then(() => save(marks));
      await saved;
    },
  };
}

/**
 * Marks kept in a file, so that a restarted gateway does not go back either.
 * @throws RefusedError `state-invalid` for a file that cannot be understood: guessing would allow going back
 */
export async function marksInFile(file: string): Promise<RevisionMarks> {
  return marksInMemory(await readMarks(file), async (marks) => {
    const text = JSON.stringify({ version: 1, endpoints: Object.fromEntries(marks) }, undefined, 2);
    await replaceFile(file, `${text}\n`);
  });
}

async function readMarks(file: string): Promise<Readonly<Record<string, RevisionMark>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return fileSchema.parse(JSON.parse(text)).endpoints;
  } catch (error) {
    throw new RefusedError('state-invalid', `the state file ${file} is not one of this gateway`, [], {
      cause: error,
    });
  }
}
