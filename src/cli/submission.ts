import { cp, mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filesOf } from '../core/data/index.js';
import { RefusedError, TransientError } from '../core/errors/index.js';
import { type Digest, type Lifecycle, parseLifecycle, trainingFiles } from '../core/spec/index.js';
import { fileBytes, type Store } from '../core/store/index.js';
import type { LifecycleInput } from '../workflows/contract.js';

/** What a run starts from. */
type RunOrder = Omit<LifecycleInput, 'requestedBy' | 'signed'>;

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
export async function upload(store: Store, lifecycle: Lifecycle, base: string): Promise<RunOrder> {
  const source = await readable(path.resolve(base, lifecycle.data.source), 'data.source', (file) =>
    uploadFile(store, file, 'data.source'),
  );
  const named: [string, Digest][] = [];
  for (const name of filesOf(lifecycle.data)) {
    named.push([
      name,
      await readable(path.resolve(base, name), 'data.columns', (file) =>
        uploadFile(store, file, 'data.columns'),
      ),
    ]);
  }
  const files = named.length > 0 && { files: Object.fromEntries(named) };
  const { training } = lifecycle;
  const trained = trainingFiles(training);
  if (training.trainer !== 'program' && trained.length === 0) return { lifecycle, source, ...files };

  const folder = await mkdtemp(path.join(tmpdir(), 'assay-program-'));
  try {
    const root = await realpath(base);
    const field = training.trainer === 'program' ? 'training.files' : 'training.parameters.network.file';
    for (const name of trained) {
      await readable(path.resolve(base, name), field, async (file) => {
        const inside = path.relative(base, file);
        // Resolved before its name is believed: a folder on the way may be a link to somewhere else.
        for (const apart of [inside, path.relative(root, await realpath(file))]) {
          if (apart !== '..' && !apart.startsWith(`..${path.sep}`) && !path.isAbsolute(apart)) continue;
          throw new RefusedError(
            'source-missing',
            `${field}: expected files beside the lifecycle file, got ${name}`,
          );
        }
        await cp(file, path.join(folder, inside), { recursive: true });
      });
    }
    return { lifecycle, source, ...files, program: await store.putTree(folder) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function uploadFile(store: Store, file: string, field: string): Promise<Digest> {
  // A pipe or a device may never end.
  if (!(await stat(file)).isFile())
    throw new RefusedError('source-missing', `${field}: expected a regular file, got ${file}`);
  return store.putBlob(fileBytes(await realpath(file)));
}

async function readable<T>(file: string, field: string, read: (file: string) => Promise<T>): Promise<T> {
  try {
    return await read(file);
  } catch (cause) {
    const { code } = (cause instanceof TransientError ? cause.cause : cause) as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw cause;
    throw new RefusedError('source-missing', `${field}: cannot read ${file} (${code})`, [], { cause });
  }
}
