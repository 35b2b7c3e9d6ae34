import { entryBytes, type LoggedEntry } from './log.js';
import { type Hash, leafHash, rootOf } from './merkle.js';

const width = 256;

/**
 * A log as the files that any web server can serve and other tools read (c2sp.org/tlog-tiles): the newest checkpoint, tiles of
 * hashes and bundles of entries.
 *
 * @returns contents by relative path; none for an empty log
 */
export function tilesOf(entries: readonly LoggedEntry[]): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const newest = entries.at(-1);
  if (!newest) return files;
  files.set('checkpoint', Buffer.from(newest.checkpoint));
  const contents = entries.map(({ entry }) => entryBytes(entry));
  for (const [index, bundle] of tiled(contents).entries()) {
    files.set(`tile/entries/${pathOf(index, bundle.length)}`, Buffer.concat(bundle.map(prefixed)));
  }
  let hashes: readonly Hash[] = contents.map(leafHash);
  for (let level = 0; hashes.length > 0; level++) {
    const tiles = tiled(hashes);
    for (const [index, tile] of tiles.entries()) {
      files.set(`tile/${level}/${pathOf(index, tile.length)}`, Buffer.concat(tile));
    }
    // Only full tiles have a hash on the level above.
    hashes = tiles.filter(({ length }) => length === width).map(rootOf);
  }
  return files;
}

function tiled<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / width) }, (_, index) =>
    items.slice(index * width, (index + 1) * width),
  );
}

/** Three digits a part, all but the last after an x; partial tiles say how many they hold. */
function pathOf(index: number, length: number): string {
  const digits = String(index);
  const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!;
  const path = parts.map((part, at) => (at === parts.length - 1 ? part : `x${part}`)).join('/');
  return length === width ? path : `${path}.p/${length}`;
}

function prefixed(entry: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(entry.length);
  return Buffer.concat([length, entry]);
}
