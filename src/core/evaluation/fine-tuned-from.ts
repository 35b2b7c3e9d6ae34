import { posix } from 'node:path';
import { RefusedError } from '../errors/index.js';
import { type Digest, type TrainingSpec, trainingFiles } from '../spec/index.js';
import type { Store } from '../store/index.js';

/**
 * The ONNX file that a training starts from.
 *
 * @param program - tree of the training's files
 * @returns its blob; undefined for a training that starts from nothing, and for programs, which do not say
 * @throws RefusedError `inputs-mismatch` when the file is not among them
 */
export async function fineTunedFrom(
  store: Store,
  training: TrainingSpec,
  program: Digest | undefined,
): Promise<Digest | undefined> {
  const [file] = training.trainer === 'built-in' ? trainingFiles(training) : [];
  if (file === undefined || program === undefined) return undefined;
  const found = (await store.readTree(program)).find(({ path }) => path === posix.normalize(file));
  if (found) return found.digest;
  throw new RefusedError('inputs-mismatch', `expected ${file} among the files of the training, got none`);
}
