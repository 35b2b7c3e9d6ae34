/** Control characters: a NUL ends a C string, the others fake lines in a report. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is its purpose
const FORBIDDEN = /[\u0000-\u001f\u007f\\]/;
const MAXIMUM_BYTES = 1024;

/**
 * Says why a path must not be in a tree, or undefined where it may: a tree from anywhere is written below a folder of
 * ours, and is listed in signatures that other tools read.
 */
export function treePathProblem(path: string): string | undefined {
  if (path === '') return 'an empty path';
  if (Buffer.byteLength(path) > MAXIMUM_BYTES) return `more than ${MAXIMUM_BYTES} bytes`;
  // What is not Unicode (a lone surrogate, a byte that is no UTF-8) comes back as U+FFFD.
  if (path.includes('\ufffd') || Buffer.from(path).toString() !== path) return 'a name that is not UTF-8';
  if (FORBIDDEN.test(path)) return 'a backslash or control character';
  if (path.startsWith('/')) return 'an absolute path';
  for (const segment of path.split('/')) {
    if (segment === '') return 'an empty name';
    if (segment === '.' || segment === '..') return `a ${segment} name`;
  }
  return undefined;
}

/** Orders paths by code points, which is the order of their UTF-8 bytes (and not of UTF-16 strings). */
export function compareTreePaths(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
