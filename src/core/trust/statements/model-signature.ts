import { z } from 'zod';
import type { PredicateType } from './predicate.js';

const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** Files of version control at the root of a folder: the only ones that a signature may leave out. */
const ignorablePaths = ['.git', '.gitattributes', '.github', '.gitignore'] as const;

/**
 * Narrower than the specification on purpose. The reference tool accepts an empty list under `ignore_paths: ["."]`, by
 * which any folder verifies, and followed links, whose contents nobody signed.
 */
const schema = z.strictObject({
  serialization: z.strictObject({
    method: z.literal('files'),
    hash_type: z.literal('sha256'),
    allow_symlinks: z.literal(false),
    ignore_paths: z.array(z.enum(ignorablePaths)).optional(),
  }),
  resources: z
    .array(z.strictObject({ name: z.string(), algorithm: z.literal('sha256'), digest: hex }))
    .min(1)
    .superRefine((resources, context) => {
      const names = new Set<string>();
      for (const [index, { name }] of resources.entries()) {
        const problem = names.has(name) ? 'a name again' : nameProblem(name);
        if (problem) {
          const message = `expected unique relative names, got ${problem}: ${JSON.stringify(name)}`;
          context.addIssue({ code: 'custom', path: [index, 'name'], message });
        }
        names.add(name);
      }
    }),
});

/** Says of a folder: these are its files, all of them (OpenSSF Model Signing v1.0). */
export const modelSignaturePredicate: PredicateType<z.infer<typeof schema>> = {
  type: 'https://model_signing/signature/v1.0',
  role: 'model',
  schema,
};

function nameProblem(name: string): string | undefined {
  if (name.includes('\\')) return 'a backslash';
  if (name.includes('\0')) return 'a NUL';
  if (name.includes('\ufffd') || Buffer.from(name).toString() !== name) return 'a name that is not UTF-8';
  const segments = name.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'an empty, absolute or climbing path';
  }
  return undefined;
}
