import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { RefusedError } from '../errors/index.js';

/**
 * The file that a command names, as a shell in that folder would find it.
 *
 * @param program - a name to look for along the search path, or a path, relative to the folder
 * @param searchPath - folders with `:` between them
 * @returns its absolute path
 * @throws RefusedError `training-refused` when there is none that this process may execute
 */
export async function findProgram(program: string, workingFolder: string, searchPath = ''): Promise<string> {
  if (program === '') throw new RefusedError('training-refused', 'expected a command, got an empty one');
  const folders = program.includes('/') ? [''] : searchPath.split(path.delimiter);
  let problem = 'ENOENT';
  for (const folder of folders) {
    const file = path.resolve(workingFolder, folder, program);
    try {
      await access(file, constants.X_OK);
      if ((await stat(file)).isFile()) return file;
      problem = 'EACCES';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') problem = 'EACCES';
    }
  }
  throw new RefusedError(
    'training-refused',
    `expected a program that this worker can start, got ${program}: ${problem}`,
  );
}
