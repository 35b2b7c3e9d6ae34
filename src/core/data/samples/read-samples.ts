import path from 'node:path';
import { RefusedError } from '../../errors/index.js';
import { tableFormatOf } from '../stages.js';
import { assembleSamples } from './assemble.js';
import { readArrays } from './read-arrays.js';
import { readOpenTable } from './read-open-table.js';
import type { SampleOptions, SampleSet } from './sample-set.js';

/**
 * Reads labelled samples from anyone's file: CSV, JSON Lines, Parquet, `.npz`, or `.npy` with labels beside it.
 *
 * @param file - what it is, its name says
 * @param labels - a `.npy` file of labels, for a `.npy` file of inputs
 * @throws RefusedError `source-missing`, `source-unreadable`, `data-refused` with what is wrong and where, `usage` when
 * something must be said that the file does not say; the signal's reason
 */
export async function readSamples(
  file: string,
  options: SampleOptions & { readonly labels?: string },
): Promise<SampleSet> {
  const extension = path.extname(file).toLowerCase();
  if (extension === '.npy' || extension === '.npz') {
    return assembleSamples(await readArrays(file, options), options);
  }
  const format = tableFormatOf(file);
  if (!format) {
    throw new RefusedError(
      'usage',
      `expected data named .csv, .jsonl, .ndjson, .parquet, .npz or .npy, got ${path.basename(file)}`,
    );
  }
  return assembleSamples(await readOpenTable(file, format, options), options);
}
