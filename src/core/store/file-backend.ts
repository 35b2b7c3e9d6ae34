import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { access, link, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RefusedError } from '../errors/index.js';
import type { Backend, Bytes } from './backend.js';
import {
  chunksThenClose,
  flushFolder,
  makeDurableFolder,
  openToRead,
  writeNewFile,
} from './durable-files.js';
import { faultsOf, systemCode } from './faults.js';

const KEY = /^(?!\.)[a-z0-9._-]+(\/(?!\.)[a-z0-9._-]+)*$/;
/** A put that takes longer than this is dead: its process was killed, and its temporary file may go. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Objects as files below a folder, safe between processes and across crashes: an object is written to a temporary
 * file in the same file system, flushed, and *linked* to its key. link(2) fails when the name exists, so it is the
 * atomic create-if-absent that rename(2), which overwrites, is not.
 *
 * @param url - `file:///…`; the folder is created when absent
 */
export async function openFileBackend(url: string): Promise<Backend> {
  const folder = folderOf(url);
  await faultsOf(`create ${folder}`, () => mkdir(folder, { recursive: true }));
  const root = await realpath(folder);
  const objects = path.join(root, 'objects');
  const pending = path.join(root, 'pending');
  for (const part of [objects, pending]) await makeDurableFolder(root, part);
  await removeAbandoned(pending);

  /** Folders whose own entries this process has flushed already. */
  const flushed = new Set<string>();
  const fileOf = (key: string): string => {
    if (!KEY.test(key)) throw new TypeError(`expected an object key, got ${JSON.stringify(key)}`);
    return path.join(objects, key);
  };

  return {
    url: pathToFileURL(root).href,

    async read(key) {
      const file = fileOf(key);
      const handle = await faultsOf(`open ${key}`, () => openToRead(file).catch(absentOrPlanted(key)));
      if (handle && !(await handle.stat()).isFile()) {
        await handle.close();
        throw planted(key);
      }
      return handle && chunksThenClose(handle, key);
    },

    async create(key, source) {
      const file = fileOf(key);
      const parent = path.dirname(file);
      if (!flushed.has(parent)) {
        await makeDurableFolder(objects, parent);
        flushed.add(parent);
      }
      const outcome = (await exists(file)) ? 'exists' : await createFile(file, source);
      // Also after losing a race: the winner may not have flushed yet, and the caller will rely on the object.
      await flushFolder(parent);
      return outcome;
    },

    list: (prefix, limit) => faultsOf(`list ${prefix}`, () => listKeys(objects, prefix, limit)),
  };

  async function createFile(file: string, source: Bytes): Promise<'created' | 'exists'> {
    const temporary = path.join(pending, randomBytes(16).toString('hex'));
    try {
      await writeNewFile(temporary, source, 0o444);
      return await faultsOf(`create ${file}`, () =>
        link(temporary, file).then(
          () => 'created' as const,
          (error) => {
            if (systemCode(error) === 'EEXIST') return 'exists' as const;
            throw error;
          },
        ),
      );
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

function folderOf(url: string): string {
  const invalid = (got: string) =>
    new RefusedError('store-invalid', `expected file:/// and an absolute folder, got ${JSON.stringify(got)}`);
  const { search, hash } = new URL(url);
  if (search || hash || /%00/.test(url)) throw invalid(url);
  try {
    return fileURLToPath(url);
  } catch {
    throw invalid(url);
  }
}

function absent(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error;
}

/** Nothing here makes links, pipes or folders in an object's place, so trying again would not help. */
const planted = (key: string): RefusedError =>
  new RefusedError('blob-corrupt', `expected a regular file at ${key}, got a link or a special file`);

const absentOrPlanted =
  (key: string) =>
  (error: unknown): undefined => {
    if (systemCode(error) === 'ELOOP') throw planted(key);
    return absent(error);
  };

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

async function removeAbandoned(pending: string): Promise<void> {
  const oldest = Date.now() - ABANDONED_MS;
  for (const name of await readdir(pending)) {
    const file = path.join(pending, name);
    const found = await stat(file).catch(absent);
    if (found && found.mtimeMs < oldest) await rm(file, { force: true });
  }
}

/** Walks in key order, which is not the order of names: `a-b` comes before `a/b`, so folders sort with their slash. */
async function listKeys(objects: string, prefix: string, limit: number): Promise<readonly string[]> {
  const keys: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries: Dirent[] =
      (await readdir(path.join(objects, folder), { withFileTypes: true }).catch(absent)) ?? [];
    const names = entries.map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`);
    for (const name of names.sort()) {
      if (keys.length >= limit) return;
      if (!name.startsWith(prefix) && !prefix.startsWith(name)) continue;
      if (name.endsWith('/')) await walk(name);
      // What is no key was left by others: `.nfs…` of a network disk, `.DS_Store`.
      else if (name.startsWith(prefix) && KEY.test(name)) keys.push(name);
    }
  };
  await walk(prefix.slice(0, prefix.lastIndexOf('/') + 1));
  return keys;
}
