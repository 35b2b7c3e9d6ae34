import { readFile } from 'node:fs/promises';
import { RefusedError } from '../../core/errors/index.js';

/** @throws RefusedError `source-missing` */
export async function readModel(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause) => {
    throw new RefusedError('source-missing', `expected the model file ${file}, got none`, [], { cause });
  });
}
