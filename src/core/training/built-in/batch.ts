import { floatTensor, type Tensor } from '../../onnx/index.js';

/** The rows of a row-major matrix at some indices, in their order. */
export function gatherRows(matrix: Float32Array, size: number, indices: Uint32Array): Float32Array {
  const rows = new Float32Array(indices.length * size);
  indices.forEach((index, row) => {
    rows.set(matrix.subarray(index * size, (index + 1) * size), row * size);
  });
  return rows;
}

/** One-hot rows of the labels at some indices, [indices.length, classes]. */
export function oneHot(labels: Uint32Array, classes: number, indices: Uint32Array): Tensor {
  const targets = new Float32Array(indices.length * classes);
  indices.forEach((index, row) => {
    targets[row * classes + labels[index]!] = 1;
  });
  return floatTensor([indices.length, classes], targets);
}

/**
 * Labels of which a share is spread evenly over all classes.
 *
 * Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the inception architecture", CVPR 2016, section 7.
 *
 * @param labels - one-hot, [N, classes]
 */
export function smoothed({ dims, data }: Tensor, share: number): Tensor {
  const spread = share / dims[1]!;
  return floatTensor(
    dims,
    Float32Array.from(data as Float32Array, (value) => value * (1 - share) + spread),
  );
}
