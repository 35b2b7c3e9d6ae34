import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { RefusedError } from '../../core/errors/index.js';

/** @throws RefusedError `folder-exists` or `file-exists`: nothing is overwritten, and hours of attack must not end in that */
export function expectFree({ output, html }: { readonly output?: string; readonly html?: string }): void {
  if (output !== undefined && existsSync(output) && !isEmptyFolder(output)) {
    throw new RefusedError('folder-exists', `expected no folder ${output}, or an empty one`);
  }
  if (html !== undefined && existsSync(html)) {
    throw new RefusedError('file-exists', `expected no file ${html}, got one`);
  }
  if (html !== undefined && !existsSync(path.dirname(path.resolve(html)))) {
    throw new RefusedError('usage', `expected the folder of ${html} to exist`);
  }
}

function isEmptyFolder(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}
