import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { RefusedError } from '../../errors/index.js';
import { decodeNpy, type NumpyArray } from './npy.js';
import { openNpz } from './npz.js';
import type { RawSamples } from './sample-set.js';

/** What a file may hold: Node reads no more at once. */
const MAXIMUM_FILE_BYTES = 2 ** 31 - 1;

/** Names of arrays in archives, the most usual first; `x_test` is Keras'. */
const inputNames = ['x', 'inputs', 'X', 'x_test'] as const;
const labelNames = ['y', 'labels', 'Y', 'y_test'] as const;

/**
 * Reads samples from NumPy files: a `.npz` archive of inputs and labels, or a `.npy` array of inputs [N, …] with another
 * of labels.
 *
 * @param label - the array of labels in an archive; default: `y` or `labels`
 * @param labels - the `.npy` file of labels that goes with a `.npy` file
 * @throws RefusedError `source-missing`, `source-unreadable`, `data-refused` or `usage`
 */
export async function readArrays(
  file: string,
  { label, labels }: { readonly label?: string | undefined; readonly labels?: string | undefined },
): Promise<RawSamples> {
  const name = path.basename(file);
  if (path.extname(file).toLowerCase() === '.npz') {
    const archive = openNpz(await readBounded(file), name);
    const found = (kind: string, names: readonly string[]): NumpyArray => {
      const known = names.find((each) => archive.names.includes(each));
      if (known !== undefined) return archive.read(known);
      throw new RefusedError(
        'data-refused',
        `${name}: expected ${kind} in an array ${names.join(', ')}, got ${archive.names.join(', ') || 'none'}`,
      );
    };
    const targets = found('labels', label === undefined ? labelNames : [label]);
    return pair(found('inputs', inputNames), targets, name);
  }
  if (labels === undefined) {
    throw new RefusedError(
      'usage',
      `expected --labels FILE.npy, the labels of ${name}, or a .npz file of both`,
    );
  }
  return pair(
    decodeNpy(await readBounded(file), name),
    decodeNpy(await readBounded(labels), path.basename(labels)),
    name,
  );
}

async function readBounded(file: string): Promise<Uint8Array> {
  const { size } = await stat(file).catch(() => {
    throw new RefusedError('source-missing', `expected the file ${file}, got none`);
  });
  if (size > MAXIMUM_FILE_BYTES) {
    throw new RefusedError(
      'source-unreadable',
      `${file}: expected at most ${MAXIMUM_FILE_BYTES} bytes, got ${size}`,
    );
  }
  return await readFile(file);
}

function pair(inputs: NumpyArray, labels: NumpyArray, name: string): RawSamples {
  const [n, ...shape] = inputs.shape;
  if (n === undefined || shape.length === 0) {
    throw new RefusedError(
      'data-refused',
      `${name}: expected inputs [N, …], got shape (${inputs.shape.join(', ')})`,
    );
  }
  const [rows, ...more] = labels.shape;
  if (rows !== n || more.some((axis) => axis !== 1)) {
    throw new RefusedError(
      'data-refused',
      `${name}: expected one label for each of ${n} inputs, got shape (${labels.shape.join(', ')})${more.length > 0 ? '; turn one-hot labels into indices with argmax(axis=1)' : ''}`,
    );
  }
  const { data } = inputs;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    throw new RefusedError(
      'data-refused',
      `${name}: expected inputs of floats or bytes, got 64-bit integers`,
    );
  }
  const indices = Array.from(labels.data as ArrayLike<number | bigint>, Number);
  const bad = indices.findIndex((label) => !Number.isSafeInteger(label));
  if (bad >= 0) {
    throw new RefusedError(
      'data-refused',
      `${name}: expected integer labels, got ${indices[bad]} at index ${bad}`,
    );
  }
  return {
    ids: Array.from({ length: n }, (_, index) => `index-${index}`),
    values: data,
    labels: indices,
    shape,
    notes: [],
  };
}
