import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import type { Digest } from '../../../src/core/spec/index.js';
import {
  canonicalJson,
  digestOf,
  digestOfJson,
  openStore,
  type RefVersion,
  type Store,
} from '../../../src/core/store/index.js';

/** A new, empty store, and a way to damage what it holds behind its back. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Rewrites the stored bytes of every object whose key contains a text. */
  readonly damage: (keyPart: string, edit: (bytes: Buffer) => Uint8Array) => Promise<void>;
  /** Every object's key. */
  readonly keys: () => Promise<readonly string[]>;
}

/** What every backend must do, in every process that opens it. */
export function storeContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`the store contract on ${name}`, () => {
    let made: StoreUnderTest;
    let store: Store;
    let folder: string;
    beforeEach(async () => {
      made = await makeStore();
      store = made.store;
      folder = await mkdtemp(path.join(tmpdir(), 'assay-contract-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    const missing = digestOf('never stored');
    const flip = (bytes: Buffer) => {
      bytes[bytes.length >> 1]! ^= 1;
      return bytes;
    };

    describe('blobs', () => {
      it('come back as they were, under the digest of their bytes, however they were put in', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), async (chunks) => {
            const bytes = Buffer.concat(chunks);
            const digest = await store.putBlob(bytes);
            expect(digest).toBe(digestOf(bytes));
            expect(await store.putBlob(streamOf(chunks))).toBe(digest);
            expect(Buffer.compare(await store.readBlob(digest), bytes)).toBe(0);
            expect(Buffer.compare(await collect(store.streamBlob(digest)), bytes)).toBe(0);
          }),
          { numRuns: 15 },
        );
      });

      it('are there or not there', async () => {
        const digest = await store.putBlob(Buffer.from('here'));
        expect(await store.hasBlob(digest)).toBe(true);
        expect(await store.hasBlob(missing)).toBe(false);
        await expect(store.readBlob(missing)).rejects.toMatchObject({ code: 'blob-missing' });
        await expect(collect(store.streamBlob(missing))).rejects.toMatchObject({ code: 'blob-missing' });
      });

      it.each([
        ['a flipped bit', flip],
        ['a cut end', (bytes: Buffer) => bytes.subarray(0, -1)],
        ['an added byte', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('!')])],
      ])('are refused with %s, by every way of reading', async (_, edit) => {
        const digest = await store.putBlob(Buffer.from('bytes that were signed'));
        await made.damage(digest.slice(7), edit);
        const file = path.join(folder, 'file');
        const corrupt = { code: 'blob-corrupt' };
        await expect(store.readBlob(digest)).rejects.toMatchObject(corrupt);
        await expect(collect(store.streamBlob(digest))).rejects.toMatchObject(corrupt);
        await expect(store.fetchBlob(digest, file)).rejects.toMatchObject(corrupt);
        expect(await readdir(folder)).toEqual([]);
      });

      it('leave nothing when their source breaks off', async () => {
        const before = await made.keys();
        async function* broken() {
          yield Buffer.alloc(100_000);
          throw new Error('the line went dead');
        }
        await expect(store.putBlob(broken())).rejects.toThrow('the line went dead');
        expect(await made.keys()).toEqual(before);
      });

      it('are fetched into a file, whose old content they replace', async () => {
        const file = path.join(folder, 'file');
        await store.fetchBlob(await store.putBlob(Buffer.from('old')), file);
        await store.fetchBlob(await store.putBlob(Buffer.from('new')), file);
        expect(await readFile(file, 'utf8')).toBe('new');
        expect(await readdir(folder)).toEqual(['file']);
      });

      it.each(['sha256:../../../etc/passwd', 'sha256:AB', 'md5:00', '', 'sha256:'])(
        'are never looked for under %j, which is no digest',
        async (digest) => {
          const invalid = { code: 'digest-invalid' };
          await expect(store.readBlob(digest as Digest)).rejects.toMatchObject(invalid);
          await expect(store.hasBlob(digest as Digest)).rejects.toMatchObject(invalid);
          await expect(store.readOutcome(digest as Digest)).rejects.toMatchObject(invalid);
          await expect(store.referrers(digest as Digest)).rejects.toMatchObject(invalid);
          await expect(store.attach(missing, digest as Digest)).rejects.toMatchObject(invalid);
        },
      );
    });

    describe('trees', () => {
      // Names that sort differently as UTF-16, as UTF-8 and as path components.
      const segment = fc.constantFrom('a', 'a.b', 'a-b', 'B', 'ä', '\uff5e', '😀', ' ', 'con', '%2e');
      const files = fc.dictionary(
        fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
        fc.uint8Array({ maxLength: 50 }),
        { maxKeys: 6, noNullPrototype: true },
      );

      it('bring any folder back whole, and equal folders have equal digests', async () => {
        let run = 0;
        await fc.assert(
          fc.asyncProperty(files, async (wanted) => {
            const root = path.join(folder, `run${run++}`);
            const written = await writeFiles(path.join(root, 'in'), Object.entries(wanted));
            const reversed = await writeFiles(path.join(root, 'in2'), [...written].reverse());
            expect(reversed.size).toBe(written.size);
            const digest = await store.putTree(path.join(root, 'in'));
            expect(await store.putTree(path.join(root, 'in2'))).toBe(digest);
            const entries = await store.readTree(digest);
            expect(entries.map((entry) => entry.path)).toEqual(
              [...written.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
            );
            await store.fetchTree(digest, path.join(root, 'out'));
            expect(await store.putTree(path.join(root, 'out'))).toBe(digest);
          }),
          { numRuns: 15 },
        );
      });

      it('refuse links and special files, and name each', async () => {
        const input = path.join(folder, 'in');
        await mkdir(input);
        await symlink('/etc/passwd', path.join(input, 'link'));
        await symlink('/etc', path.join(input, 'folder-link'));
        await writeFile(path.join(input, 'back\\slash'), '');
        await writeFile(Buffer.concat([Buffer.from(`${input}/`), Buffer.from([0xff, 0x61])]), '');
        const refused = await store.putTree(input).catch((error) => error);
        expect(refused).toMatchObject({ code: 'tree-invalid' });
        expect(refused.details).toHaveLength(4);
      });

      it.each([
        '../escape',
        '/absolute',
        'a/../../b',
        'a//b',
        './a',
        'a\\b',
        'a\0b',
        'a\nb',
        'a/',
        '',
        '..',
        '\ud800',
      ])('are refused with the path %j', async (bad) => {
        const blob = await store.putBlob(Buffer.from('x'));
        const digest = await putListing([{ path: bad, digest: blob, size: 1 }]);
        await expect(store.readTree(digest)).rejects.toMatchObject({ code: 'tree-invalid' });
        await expect(store.fetchTree(digest, path.join(folder, 'out'))).rejects.toMatchObject({
          code: 'tree-invalid',
        });
        expect(await readdir(folder)).toEqual([]);
      });

      it('are refused when their listing is out of order, says a path twice, or makes a file a folder', async () => {
        const blob = await store.putBlob(Buffer.from('x'));
        for (const paths of [
          ['b', 'a'],
          ['a', 'a'],
          ['a', 'a-', 'a/b'],
        ]) {
          const digest = await putListing(paths.map((name) => ({ path: name, digest: blob, size: 1 })));
          await expect(store.readTree(digest)).rejects.toMatchObject({ code: 'tree-invalid' });
        }
        await expect(store.readTree(blob)).rejects.toMatchObject({ code: 'tree-invalid' });
      });

      it('appear whole or not at all', async () => {
        const input = path.join(folder, 'in');
        await writeFiles(input, [
          ['a', Buffer.from('first')],
          ['z/last', Buffer.from('last file')],
        ]);
        const digest = await store.putTree(input);
        await made.damage(digestOf('last file').slice(7), flip);
        await expect(store.fetchTree(digest, path.join(folder, 'out'))).rejects.toMatchObject({
          code: 'blob-corrupt',
        });
        expect(await readdir(folder)).toEqual(['in']);
      });

      it('are refused when a file is not as long as its listing says', async () => {
        const blob = await store.putBlob(Buffer.from('four'));
        const digest = await putListing([{ path: 'a', digest: blob, size: 5 }]);
        await expect(store.fetchTree(digest, path.join(folder, 'out'))).rejects.toMatchObject({
          code: 'tree-invalid',
        });
      });

      it('never replace a folder', async () => {
        const input = path.join(folder, 'in');
        await writeFiles(input, [['a', Buffer.from('x')]]);
        const digest = await store.putTree(input);
        const occupied = { code: 'folder-exists' };
        await mkdir(path.join(folder, 'empty'));
        await expect(store.fetchTree(digest, path.join(folder, 'empty'))).rejects.toMatchObject(occupied);
        await expect(store.fetchTree(digest, input)).rejects.toMatchObject(occupied);
        expect((await readdir(folder)).sort()).toEqual(['empty', 'in']);
      });

      async function putListing(entries: readonly object[]): Promise<Digest> {
        return store.putBlob(Buffer.from(canonicalJson({ kind: 'assay-tree', version: 1, entries })));
      }
    });

    describe('refs', () => {
      it('keep every version, newest first, and move only from the newest', async () => {
        type Model = { versions: RefVersion[] };
        const step = fc.record({ from: fc.nat({ max: 6 }), value: fc.jsonValue({ maxDepth: 1 }) });
        let run = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
            const ref = `model/r${run++}`;
            const model: Model = { versions: [] };
            for (const { from, value } of steps) {
              // 0 is "does not exist"; others are versions of the past, the newest, or none yet.
              const seen = from === 0 ? undefined : model.versions[from - 1];
              const allowed = model.versions.length === (seen?.sequence ?? 0);
              const moved = await store.moveRef(ref, seen, value);
              expect(moved !== undefined).toBe(allowed);
              if (moved) model.versions.push(moved);
            }
            expect(await store.readRef(ref)).toEqual(model.versions.at(-1));
            expect(await collectRefs(store.refHistory(ref))).toEqual([...model.versions].reverse());
            expect(model.versions.map((version) => version.sequence)).toEqual(
              model.versions.map((_, index) => index + 1),
            );
          }),
          { numRuns: 20 },
        );
      });

      it('refuse to move from a version that never was, though its number fits', async () => {
        const first = (await store.moveRef('a', undefined, 'same'))!;
        expect(await store.moveRef('a', { ...first, nonce: '0'.repeat(32) }, 'next')).toBeUndefined();
        expect(await store.moveRef('a', { ...first, sequence: 5 }, 'next')).toBeUndefined();
        expect((await store.readRef('a'))?.sequence).toBe(1);
      });

      it('have exactly one winner of every race in one process', async () => {
        for (const racers of [2, 20]) {
          const ref = `race/${racers}`;
          let seen: RefVersion | undefined;
          for (let round = 0; round < 3; round++) {
            const moves = Array.from({ length: racers }, (_, who) => store.moveRef(ref, seen, { who }));
            const winners = (await Promise.all(moves)).filter((version) => version !== undefined);
            expect(winners).toHaveLength(1);
            seen = winners[0];
            expect(await store.readRef(ref)).toEqual(seen);
          }
        }
      });

      it('have exactly one winner of every race between processes', async () => {
        const rounds = 60;
        const racers = [0, 1].map((who) => {
          const script = path.join(__dirname, 'ref-racer.js');
          return spawn(process.execPath, [script, store.url, 'race/processes', `${rounds}`, `${who}`]);
        });
        await Promise.all(racers.map((racer) => once(racer.stdout, 'data')));
        const outputs = racers.map((racer) => collect(racer.stdout));
        for (const racer of racers) racer.stdin.write('go');
        const won = (await Promise.all(outputs)).map((output) => JSON.parse(output.toString()) as number[]);
        const history = await collectRefs(store.refHistory('race/processes'));
        // Each won sequence was won by one of them, and together they left no gap.
        expect(won.flat().sort((a, b) => a - b)).toEqual(
          history.map((version) => version.sequence).reverse(),
        );
        expect(history.length).toBeGreaterThanOrEqual(rounds);
      });

      it('are listed by prefix, in order, and do not contain each other', async () => {
        const names = [
          'endpoints/digits',
          'endpoints/digits/1',
          'endpoints/digits-2',
          'endpoints/a',
          'other',
        ];
        for (const ref of names) await store.moveRef(ref, undefined, ref);
        expect(await store.listRefs('endpoints/')).toEqual(names.slice(0, 4).sort());
        expect(await store.listRefs('endpoints/digits')).toEqual(names.slice(0, 3).sort());
        expect(await store.listRefs('')).toEqual([...names].sort());
        for (const ref of names) expect((await store.readRef(ref))?.value).toBe(ref);
        expect(await store.readRef('endpoints')).toBeUndefined();
      });

      it.each(['', '../x', 'a/', '/a', 'A', 'a_b', 'a//b', 'a/.b', 'a b', 'ä', 'x'.repeat(300)])(
        'cannot be named %j',
        async (bad) => {
          await expect(store.moveRef(bad, undefined, 1)).rejects.toMatchObject({ code: 'ref-invalid' });
          await expect(store.readRef(bad)).rejects.toMatchObject({ code: 'ref-invalid' });
        },
      );

      it('are refused when their stored version is damaged', async () => {
        await store.moveRef('damaged', undefined, { model: digestOf('a') });
        await made.damage('refs/damaged/', flip);
        await expect(store.readRef('damaged')).rejects.toMatchObject({ code: 'record-corrupt' });
      });
    });

    describe('outcomes', () => {
      it('are those of the first writer, for every caller', async () => {
        const key = digestOfJson({ stage: 'train', seed: 1 });
        expect(await store.readOutcome(key)).toBeUndefined();
        const told = await Promise.all(Array.from({ length: 10 }, (_, n) => store.recordOutcome(key, { n })));
        const kept = await store.readOutcome(key);
        expect(told).toEqual(told.map(() => kept));
      });

      it('may be null, and are refused when damaged', async () => {
        expect(await store.recordOutcome(missing, null)).toBeNull();
        expect(await store.readOutcome(missing)).toBeNull();
        await made.damage('outcomes/', flip);
        await expect(store.readOutcome(missing)).rejects.toMatchObject({ code: 'record-corrupt' });
      });
    });

    it('files statements under their artifact, once each and sorted', async () => {
      const subject = digestOf('model');
      const envelopes = ['c', 'a', 'b', 'a'].map((text) => digestOf(text));
      expect(await store.referrers(subject)).toEqual([]);
      for (const envelope of envelopes) await store.attach(subject, envelope);
      expect(await store.referrers(subject)).toEqual([...new Set(envelopes)].sort());
      expect(await store.referrers(digestOf('another'))).toEqual([]);
    });

    it('is found again by its URL', async () => {
      const digest = await store.putBlob(Buffer.from('kept'));
      const again = await openStore(store.url);
      expect(again.url).toBe(store.url);
      expect((await again.readBlob(digest)).toString()).toBe('kept');
    });
  });
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function collectRefs(history: AsyncIterable<RefVersion>): Promise<RefVersion[]> {
  const versions: RefVersion[] = [];
  for await (const version of history) versions.push(version);
  return versions;
}

/** Writes files that do not stand in each other's way, and says which. */
async function writeFiles(
  root: string,
  files: Iterable<readonly [string, Uint8Array]>,
): Promise<Map<string, Uint8Array>> {
  await mkdir(root, { recursive: true });
  const written = new Map<string, Uint8Array>();
  for (const [name, bytes] of files) {
    if ([...written.keys()].some((other) => name.startsWith(`${other}/`) || other.startsWith(`${name}/`)))
      continue;
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), bytes);
    written.set(name, bytes);
  }
  return written;
}
