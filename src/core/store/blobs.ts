import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RefusedError, TransientError } from '../errors/index.js';
import { type Digest, digestSchema } from '../spec/index.js';
import type { Backend, Bytes } from './backend.js';
import { digestOf } from './digest.js';
import { collect, fileBytes, flushFolder, writeNewFile } from './durable-files.js';
import { faultsOf } from './faults.js';
import type { Store } from './store.js';

/** No ONNX file is larger: Protocol Buffers end at 2 GiB. */
const LARGEST_IN_MEMORY = 2 ** 31;

export interface Blobs extends Pick<Store, 'putBlob' | 'readBlob' | 'streamBlob' | 'hasBlob' | 'fetchBlob'> {
  /** Stores what `open` streams; it is opened twice, because the key of a blob is the digest of all its bytes. */
  putOpened(open: () => AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }>;
}

/** Immutable bytes under the name of their SHA-256, which is checked on every read. */
export function blobsOn(backend: Backend): Blobs {
  async function* streamBlob(digest: Digest): AsyncGenerator<Uint8Array> {
    const stream = await backend.read(blobKey(digest));
    if (!stream)
      throw new RefusedError('blob-missing', `expected blob ${digest} in ${backend.url}, got nothing`);
    yield* checked(
      stream,
      digest,
      (got) => new RefusedError('blob-corrupt', `expected blob ${digest}, got bytes that hash to ${got}`),
    );
  }

  async function putOpened(open: () => AsyncIterable<Uint8Array>) {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of open()) {
      hash.update(chunk);
      size += chunk.byteLength;
    }
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    const changed = (got: Digest) =>
      new TransientError(
        `expected the same bytes twice, ${digest}, got ${got}: a file changed while it was stored`,
      );
    await backend.create(blobKey(digest), checked(open(), digest, changed));
    return { digest, size };
  }

  return {
    putOpened,
    streamBlob,

    async putBlob(source) {
      if (source instanceof Uint8Array) {
        const digest = digestOf(source);
        await backend.create(blobKey(digest), source);
        return digest;
      }
      return (await spooled(source, putOpened)).digest;
    },

    readBlob(digest, atMost = LARGEST_IN_MEMORY) {
      const message = `expected at most ${atMost} bytes of blob ${digest}, got more`;
      return collect(streamBlob(digest), atMost, () => new RefusedError('blob-corrupt', message));
    },

    async hasBlob(digest) {
      const key = blobKey(digest);
      return (await backend.list(key, 1))[0] === key;
    },

    async fetchBlob(digest, file) {
      const folder = path.dirname(path.resolve(file));
      const partial = await faultsOf(`write to ${folder}`, () => mkdtemp(path.join(folder, '.partial-')));
      try {
        await writeNewFile(path.join(partial, 'blob'), streamBlob(digest));
        await faultsOf(`create ${file}`, () => rename(path.join(partial, 'blob'), file));
        await flushFolder(folder);
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
    },
  };
}

/** @throws RefusedError `digest-invalid`: a digest from outside must never become a path */
export function hexOf(digest: Digest): string {
  if (!digestSchema.safeParse(digest).success) {
    const got = JSON.stringify(digest)?.slice(0, 100);
    throw new RefusedError('digest-invalid', `expected sha256: and 64 lower-case hex digits, got ${got}`);
  }
  return digest.slice('sha256:'.length);
}

/** The first two digits are a folder, so that no folder of a file store grows large. */
function blobKey(digest: Digest): string {
  const hex = hexOf(digest);
  return `blobs/${hex.slice(0, 2)}/${hex}`;
}

/** Passes a stream on and throws at its end when it was not what it was said to be. */
async function* checked(
  stream: AsyncIterable<Uint8Array>,
  expected: Digest,
  failure: (got: Digest) => Error,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of stream) {
    hash.update(chunk);
    yield chunk;
  }
  const got: Digest = `sha256:${hash.digest('hex')}`;
  if (got !== expected) throw failure(got);
}

/** Keeps a stream of unknown length in a temporary file, so that it can be read twice in constant memory. */
async function spooled<T>(
  source: Bytes,
  use: (open: () => AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const folder = await faultsOf('create a temporary folder', () =>
    mkdtemp(path.join(tmpdir(), 'assay-blob-')),
  );
  const file = path.join(folder, 'blob');
  try {
    await writeNewFile(file, source);
    return await use(() => fileBytes(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
