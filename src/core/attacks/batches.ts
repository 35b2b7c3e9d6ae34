/** Cuts a list into runs of at most `size`, in order. */
export function* batchesOf(indices: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < indices.length; start += size) yield indices.slice(start, start + size);
}

/** The chosen rows of a row-major matrix, one after the other. */
export function gatherRows(matrix: Float32Array, width: number, rows: readonly number[]): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  rows.forEach((row, position) => {
    gathered.set(matrix.subarray(row * width, (row + 1) * width), position * width);
  });
  return gathered;
}

/** Rows of one length as a row-major matrix. */
export function joinRows(width: number, rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.length * width);
  rows.forEach((row, position) => {
    joined.set(row, position * width);
  });
  return joined;
}
