import path from 'node:path';

/** Threads and processes run compiled code: from a `.ts` file, the twin that the build has written. */
export function compiledEntry(name: string): string {
  const here = __filename.endsWith('.ts')
    ? path.resolve(__dirname, '../../../dist', path.relative(path.resolve(__dirname, '../..'), __dirname))
    : __dirname;
  return path.join(here, name);
}
