import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { type Digest, digestSchema } from '../spec/index.js';
import type { Blobs } from './blobs.js';
import { canonicalJson } from './digest.js';
import { chunksOf, flushFolder, openToRead, writeNewFile } from './durable-files.js';
import { faultsOf, systemCode } from './faults.js';
import type { Store, TreeEntry } from './store.js';
import { compareTreePaths, treePathProblem } from './tree-path.js';

const treeSchema = z.strictObject({
  kind: z.literal('assay-tree'),
  version: z.literal(1),
  entries: z.array(z.strictObject({ path: z.string(), digest: digestSchema, size: z.int().min(0) })),
});

/** Bytes; some hundred thousand files. */
const LARGEST_LISTING = 64 * 2 ** 20;

type Trees = Pick<Store, 'putTree' | 'readTree' | 'fetchTree'>;

/** Folders of files. A tree is a blob that lists its files in order, so equal folders have equal digests. */
export function treesOn(blobs: Blobs): Trees {
  async function readTree(digest: Digest): Promise<readonly TreeEntry[]> {
    const entries = parseTree(Buffer.from(await blobs.readBlob(digest, LARGEST_LISTING)).toString());
    if (typeof entries === 'string')
      throw new RefusedError('tree-invalid', `expected ${digest} to be a tree: ${entries}`);
    return entries;
  }

  return {
    readTree,

    async putTree(folder) {
      const entries: TreeEntry[] = [];
      for (const relative of await listFiles(folder)) {
        const file = path.join(folder, relative);
        // Opened once: both passes read the same file even when the name is moved to another one in between.
        const handle = await openRegularFile(file, relative);
        try {
          entries.push({ path: relative, ...(await blobs.putOpened(() => chunksOf(handle, relative))) });
        } finally {
          await handle.close();
        }
      }
      return blobs.putBlob(Buffer.from(canonicalJson({ kind: 'assay-tree', version: 1, entries })));
    },

    async fetchTree(digest, folder) {
      const entries = await readTree(digest);
      const target = path.resolve(folder);
      const occupied = () => new RefusedError('folder-exists', `expected no folder at ${target}, got one`);
      if (await lstat(target).catch(() => undefined)) throw occupied();
      const partial = path.join(path.dirname(target), `.partial-${randomBytes(8).toString('hex')}`);
      try {
        await faultsOf(`create ${partial}`, () => mkdir(partial));
        await writeEntries(partial, entries);
        await faultsOf(`create ${target}`, () =>
          rename(partial, target).catch((error) => {
            throw ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '') ? occupied() : error;
          }),
        );
        await flushFolder(path.dirname(target));
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
    },
  };

  async function writeEntries(root: string, entries: readonly TreeEntry[]): Promise<void> {
    const folders = new Set([root]);
    for (const entry of entries) {
      const file = path.join(root, entry.path);
      const folder = path.dirname(file);
      await faultsOf(`create ${folder}`, () => mkdir(folder, { recursive: true }));
      // writeNewFile never overwrites: names that only differ in case are refused where the file system joins them.
      await writeNewFile(file, blobs.streamBlob(entry.digest));
      const { size } = await faultsOf(`look at ${file}`, () => lstat(file));
      if (size !== entry.size) {
        throw new RefusedError('tree-invalid', `expected ${entry.size} bytes of ${entry.path}, got ${size}`);
      }
      for (let parent = folder; parent !== root; parent = path.dirname(parent)) folders.add(parent);
    }
    for (const folder of folders) await flushFolder(folder);
  }
}

/** The entries of a tree's text, or what is wrong with it. */
function parseTree(text: string): readonly TreeEntry[] | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const parsed = treeSchema.safeParse(json);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const { entries } = parsed.data;
  // One text a tree: otherwise equal folders could have many digests.
  if (canonicalJson(parsed.data) !== text) return 'it is not canonical JSON';
  const folders = new Set<string>();
  let previous: string | undefined;
  for (const { path: name } of entries) {
    const problem = treePathProblem(name);
    if (problem) return `got ${problem}: ${JSON.stringify(name)}`;
    if (previous !== undefined && compareTreePaths(previous, name) >= 0) {
      return `expected paths in order, each once, got ${JSON.stringify(name)} after ${JSON.stringify(previous)}`;
    }
    for (let end = name.indexOf('/'); end >= 0; end = name.indexOf('/', end + 1))
      folders.add(name.slice(0, end));
    previous = name;
  }
  const both = entries.find((entry) => folders.has(entry.path));
  return both ? `got ${JSON.stringify(both.path)} as a file and as a folder` : entries;
}

/** Relative paths of all files, in tree order. @throws RefusedError `tree-invalid` naming everything that cannot be in a tree */
async function listFiles(root: string): Promise<readonly string[]> {
  const files: string[] = [];
  const problems: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await faultsOf(`list ${path.join(root, folder)}`, () =>
      // Names as bytes: Node would turn what is not UTF-8 into U+FFFD, and two names into one.
      readdir(path.join(root, folder), { withFileTypes: true, encoding: 'buffer' }),
    );
    for (const entry of entries) {
      const name = entry.name.toString();
      const relative = folder === '' ? name : `${folder}/${name}`;
      const problem = treePathProblem(relative);
      if (problem) problems.push(`${JSON.stringify(relative)}: ${problem}`);
      else if (entry.isDirectory()) await walk(relative);
      else if (entry.isFile()) files.push(relative);
      else
        problems.push(`${JSON.stringify(relative)}: ${entry.isSymbolicLink() ? 'a link' : 'a special file'}`);
    }
  };
  await walk('');
  if (problems.length > 0) {
    problems.sort();
    throw new RefusedError(
      'tree-invalid',
      `expected only regular files in ${root}, got ${problems[0]}${problems.length > 1 ? ` and ${problems.length - 1} more` : ''}`,
      problems,
    );
  }
  return files.sort(compareTreePaths);
}

/** The listing may be old by now: what is opened is looked at again, and never through a link. */
async function openRegularFile(file: string, relative: string): Promise<FileHandle> {
  const handle = await faultsOf(`open ${file}`, () => openToRead(file));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new RefusedError('tree-invalid', `expected a regular file, got a special file: ${relative}`);
}
