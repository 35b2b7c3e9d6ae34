import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { TransientError } from '../../../src/core/errors/index.js';
import { digestOf, openStore } from '../../../src/core/store/index.js';
import { storeContract } from './store-contract.js';

const roots: string[] = [];
afterAll(() => Promise.all(roots.map((root) => rm(root, { recursive: true, force: true }))));

async function newRoot(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'assay store-'));
  roots.push(root);
  return root;
}

const filesBelow = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();

storeContract('file://', async () => {
  const root = await newRoot();
  return {
    store: await openStore(pathToFileURL(root).href),
    keys: () => filesBelow(root),
    async damage(keyPart, edit) {
      for (const file of await filesBelow(root)) {
        if (!file.includes(keyPart)) continue;
        await chmod(file, 0o644);
        await writeFile(file, edit(await readFile(file)));
      }
    },
  };
});

describe('a store of files', () => {
  it.each([
    'http://host/x',
    'file://host/x',
    'relative/folder',
    'file:///a%2fb',
    'file:///a?x',
    'file:///a%00b',
    '',
  ])('is not opened at %j', async (url) => {
    await expect(openStore(url)).rejects.toMatchObject({ code: 'store-invalid' });
  });

  it('calls a disk that takes no more bytes a fault, and shows nothing of the blob', async () => {
    const root = await newRoot();
    const url = pathToFileURL(root).href;
    const script = path.join(__dirname, 'interrupted-put.js');
    // A limit on file size stands in for a full disk: the kernel cuts the write short.
    const output = execFileSync('bash', [
      '-c',
      `ulimit -f 1024; exec "$0" "$1" "$2"`,
      process.execPath,
      script,
      url,
    ]);
    expect(output.toString()).toMatch(/^TransientError: cannot write .*EFBIG/);
    expect(await filesBelow(root)).toEqual([]);
  });

  it('calls a missing parent a fault', async () => {
    await expect(openStore('file:///dev/null/store')).rejects.toBeInstanceOf(TransientError);
  });

  it('forgets what a killed process left behind, but not what one is writing', async () => {
    const root = await newRoot();
    const url = pathToFileURL(root).href;
    await openStore(url);
    const [dead, alive] = ['dead', 'alive'].map((name) => path.join(root, 'pending', name)) as [
      string,
      string,
    ];
    await writeFile(dead, 'half');
    await writeFile(alive, 'half');
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(dead, longAgo, longAgo);
    const store = await openStore(url);
    expect(await filesBelow(root)).toEqual([alive]);
    expect(await store.hasBlob(digestOf('half'))).toBe(false);
  });

  it('never overwrites an object, not even a damaged one', async () => {
    const root = await newRoot();
    const store = await openStore(pathToFileURL(root).href);
    const digest = await store.putBlob(Buffer.from('original'));
    const [file] = await filesBelow(root);
    await chmod(file!, 0o644);
    await writeFile(file!, 'damaged!');
    await store.putBlob(Buffer.from('original'));
    expect(await readFile(file!, 'utf8')).toBe('damaged!');
    await expect(store.readBlob(digest)).rejects.toMatchObject({ code: 'blob-corrupt' });
  });

  it.each([
    ['a link to the same bytes', (file: string, copy: string) => symlink(copy, file)],
    ['a pipe', async (file: string) => void execFileSync('mkfifo', [file])],
    ['a folder', (file: string) => mkdir(file)],
  ])('refuses %s in the place of an object', async (_, plant) => {
    const root = await newRoot();
    const store = await openStore(pathToFileURL(root).href);
    const digest = await store.putBlob(Buffer.from('original'));
    const [file] = await filesBelow(root);
    await rename(file!, path.join(root, 'copy'));
    await plant(file!, path.join(root, 'copy'));
    await expect(store.readBlob(digest)).rejects.toMatchObject({ code: 'blob-corrupt' });
  });

  it('stops reading an object that somebody made larger than its reader expects', async () => {
    const root = await newRoot();
    const store = await openStore(pathToFileURL(root).href);
    const digest = await store.putBlob(Buffer.from('original'));
    await store.moveRef('big', undefined, 1);
    for (const file of await filesBelow(root)) {
      await chmod(file, 0o644);
      await truncate(file, 2 ** 26);
    }
    await expect(store.readBlob(digest, 2 ** 20)).rejects.toThrow('expected at most 1048576 bytes');
    await expect(store.readRef('big')).rejects.toThrow('expected at most 16777216 bytes');
  });

  it('overlooks files that are not its own, as network disks and desktops leave them', async () => {
    const root = await newRoot();
    const store = await openStore(pathToFileURL(root).href);
    const version = await store.moveRef('endpoints/digits', undefined, 1);
    const [file] = await filesBelow(root);
    for (const name of ['.nfs0001', '.DS_Store', '0000 copy']) {
      await writeFile(path.join(path.dirname(file!), name), '');
    }
    expect(await store.readRef('endpoints/digits')).toEqual(version);
    expect(await store.listRefs('endpoints/')).toEqual(['endpoints/digits']);
  });
});
