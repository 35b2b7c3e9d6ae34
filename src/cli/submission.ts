import { createReadStream } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusedError } from '../core/errors/index.js';
import { type Lifecycle, parseLifecycle } from '../core/spec/index.js';
import type { Store } from '../core/store/index.js';
import type { LifecycleInput } from '../workflows/contract.js';

/**
 * Reads a lifecycle file.
 *
 * @throws RefusedError `spec-unreadable`, or `spec-invalid` with every problem as a detail
 */
export async function readLifecycle(file: string): Promise<Lifecycle> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const { message } = cause as Error;
    throw new RefusedError('spec-unreadable', `Cannot read the lifecycle file ${file}: ${message}`, [], {
      cause,
    });
  }
  return parseLifecycle(bytes, file);
}

/**
 * Puts the source, and the trainer's files where there are some, into the store.
 *
 * @param base - the folder of the lifecycle file, to which its paths are relative
 * @throws RefusedError `source-missing`
 */
export async function upload(
  store: Store,
  lifecycle: Lifecycle,
  base: string,
  requestedBy: string,
): Promise<LifecycleInput> {
  const source = await readable(path.resolve(base, lifecycle.data.source), 'data.source', (file) =>
    store.putBlob(createReadStream(file)),
  );
  if (lifecycle.training.trainer !== 'program') return { lifecycle, source, requestedBy };

  const folder = await mkdtemp(path.join(tmpdir(), 'assay-program-'));
  try {
    for (const name of lifecycle.training.files) {
      const inside = path.relative(base, path.resolve(base, name));
      if (inside.startsWith('..') || path.isAbsolute(inside)) {
        throw new RefusedError(
          'source-missing',
          `training.files: expected files beside the lifecycle file, got ${name}`,
        );
      }
      await readable(path.resolve(base, name), 'training.files', (file) =>
        cp(file, path.join(folder, inside), { recursive: true }),
      );
    }
    return { lifecycle, source, program: await store.putTree(folder), requestedBy };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readable<T>(file: string, field: string, read: (file: string) => Promise<T>): Promise<T> {
  try {
    return await read(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw cause;
    throw new RefusedError('source-missing', `${field}: cannot read ${file} (${code})`, [], { cause });
  }
}
