import { inflateRawSync } from 'node:zlib';
import { RefusedError } from '../../errors/index.js';
import { crc32 } from './crc32.js';
import { decodeNpy, type NumpyArray } from './npy.js';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const END_BYTES = 22;
const MAXIMUM_COMMENT_BYTES = 0xffff;
const MAXIMUM_ENTRY_BYTES = 2 ** 31 - 1;
/** Deflate cannot do better: what claims to is lying about its size. */
const MAXIMUM_RATIO = 1032;

interface ZipEntry {
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
}

/** The arrays of a `.npz` file, unpacked when asked for. */
export interface NumpyArchive {
  readonly names: readonly string[];
  /** @throws RefusedError `source-unreadable` */
  read(name: string): NumpyArray;
}

/**
 * Opens a `.npz` file: a ZIP archive of `.npy` arrays, stored or deflated. Sizes are those of the central directory, and
 * no array may unpack to more than it declares there.
 *
 * @param bytes - the whole file @param file - as the user knows it, for errors
 * @throws RefusedError `source-unreadable`
 */
export function openNpz(bytes: Uint8Array, file: string): NumpyArchive {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (message: string): never => {
    throw new RefusedError('source-unreadable', `${file}: ${message}`);
  };
  const entries = readDirectory(view, refuse);
  return {
    names: [...entries.keys()],
    read(name) {
      const entry = entries.get(name);
      if (!entry) return refuse(`expected an array ${name}, got ${[...entries.keys()].join(', ') || 'none'}`);
      return decodeNpy(unpack(view, entry, refuse), `${file}, array ${name}`);
    },
  };
}

type Refuse = (message: string) => never;

function readDirectory(view: Buffer, refuse: Refuse): ReadonlyMap<string, ZipEntry> {
  const end = findEnd(view);
  if (end === undefined) return refuse('expected a .npz archive');
  const count = view.readUInt16LE(end + 10);
  let at = view.readUInt32LE(end + 16);
  const entries = new Map<string, ZipEntry>();
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.readUInt32LE(at) !== DIRECTORY_ENTRY) {
      return refuse(`expected ${count} arrays in the directory of the archive, got ${i}`);
    }
    const lengths = [28, 30, 32].map((field) => view.readUInt16LE(at + field));
    const next = at + 46 + lengths.reduce((sum, length) => sum + length, 0);
    if (next > end) return refuse('expected a directory that ends inside the archive');
    const name = view.toString('utf8', at + 46, at + 46 + lengths[0]!).replace(/\.npy$/, '');
    if (entries.has(name)) return refuse(`expected each array once, got ${name} twice`);
    if (view.readUInt16LE(at + 8) & 1) return refuse(`expected array ${name} without encryption`);
    entries.set(name, {
      method: view.readUInt16LE(at + 10),
      crc: view.readUInt32LE(at + 16),
      compressed: view.readUInt32LE(at + 20),
      size: view.readUInt32LE(at + 24),
      offset: view.readUInt32LE(at + 42),
    });
    at = next;
  }
  return entries;
}

/** Where the end-of-directory record begins: the last one whose comment reaches exactly to the end of the file. */
function findEnd(view: Buffer): number | undefined {
  const first = Math.max(0, view.length - END_BYTES - MAXIMUM_COMMENT_BYTES);
  for (let at = view.length - END_BYTES; at >= first; at--) {
    if (view.readUInt32LE(at) !== END_OF_DIRECTORY) continue;
    if (at + END_BYTES + view.readUInt16LE(at + 20) === view.length) return at;
  }
  return undefined;
}

function unpack(view: Buffer, entry: ZipEntry, refuse: Refuse): Uint8Array {
  const { method, crc, compressed, size, offset } = entry;
  if (size > MAXIMUM_ENTRY_BYTES || size > compressed * MAXIMUM_RATIO) {
    return refuse(`expected arrays of at most ${MAXIMUM_ENTRY_BYTES} bytes, got one that claims ${size}`);
  }
  if (offset + 30 > view.length || view.readUInt32LE(offset) !== LOCAL_ENTRY) {
    return refuse('expected every array where the directory says');
  }
  const start = offset + 30 + view.readUInt16LE(offset + 26) + view.readUInt16LE(offset + 28);
  if (start + compressed > view.length) return refuse('expected every array to end inside the archive');
  const packed = view.subarray(start, start + compressed);
  const content = method === 0 ? packed : method === 8 ? inflate(packed, size) : undefined;
  if (!content) return refuse('expected arrays that are stored or deflated, whole');
  if (content.length !== size) return refuse(`expected an array of ${size} bytes, got ${content.length}`);
  if (crc32(content) !== crc) return refuse('expected an array with the checksum of its directory entry');
  return content;
}

function inflate(packed: Uint8Array, size: number): Uint8Array | undefined {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch {
    return undefined;
  }
}
