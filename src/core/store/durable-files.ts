import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { Bytes } from './backend.js';
import { faultsOf } from './faults.js';

const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a file for reading without following a link, and without waiting for a writer where the name turns out to
 * be a pipe. @throws the system error, unmapped: callers tell a missing file from a broken disk
 */
export function openToRead(file: string): Promise<FileHandle> {
  return open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Streams an open file from its start, which may be done again: the file stays open. @throws TransientError */
export async function* chunksOf(handle: FileHandle, name: string): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await faultsOf(`read ${name}`, () =>
      handle.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, position),
    );
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * All bytes of a stream, unless there are more than expected: whoever can write to a store could otherwise fill the
 * memory of everyone who reads it. @throws what `tooMany` makes
 */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  atMost: number,
  tooMany: () => Error,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > atMost) throw tooMany();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Streams an open file once and closes it, also when the reader stops early. @throws TransientError */
export async function* chunksThenClose(handle: FileHandle, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(handle, name);
  } finally {
    await handle.close();
  }
}

/**
 * The bytes of a file that is no link, opened when they are asked for: a Node stream opens at once, and if that fails
 * before anyone listens, its error ends the process. @throws TransientError
 */
export async function* fileBytes(file: string): AsyncGenerator<Uint8Array> {
  yield* chunksThenClose(await faultsOf(`open ${file}`, () => openToRead(file)), file);
}

/**
 * Writes a new file and forces it to disk. The file may be left behind in part when this throws: it must be one that
 * nobody reads yet. @throws TransientError, or what the source throws
 */
export async function writeNewFile(file: string, source: Bytes, mode = 0o666): Promise<void> {
  const handle = await faultsOf(`create ${file}`, () => open(file, 'wx', mode));
  try {
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      // writeFile on a handle continues at its position and repeats short writes.
      await faultsOf(`write ${file}`, () => handle.writeFile(chunk));
    }
    await faultsOf(`flush ${file}`, () => handle.sync());
  } finally {
    await handle.close();
  }
}

/** Forces a folder's entries to disk: without it, a crash may forget a file that was linked into it. */
export async function flushFolder(folder: string): Promise<void> {
  await faultsOf(`flush ${folder}`, async () => {
    const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Makes a folder below a root that exists, and forces every entry on the way to disk. */
export async function makeDurableFolder(root: string, folder: string): Promise<void> {
  await faultsOf(`create ${folder}`, () => mkdir(folder, { recursive: true }));
  for (let parent = folder; parent !== root; ) {
    parent = path.dirname(parent);
    await flushFolder(parent);
  }
}
