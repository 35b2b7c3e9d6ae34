/**
 * A linear map y = W·x of flat vectors, without its matrix: what bounds need to know of any linear operator. Products add to
 * what is in their result.
 */
export interface LinearMap {
  /** Length of x. */
  readonly inputs: number;
  /** Length of y. */
  readonly outputs: number;
  /** Most entries of a row: terms of one output. */
  readonly fanIn: number;
  /** Most entries of a column: outputs that one input enters. */
  readonly fanOut: number;
  /** Numbers that the entries of W are, in the map's own order. */
  readonly weights: Float64Array;
  /** |W|. */
  readonly magnitudes: Float64Array;
  /** Adds W·x to y. @param weights - `weights` or `magnitudes` */
  multiply(weights: Float64Array, x: Float64Array, y: Float64Array): void;
  /** Adds Wᵀ·a to x, skipping zeros of a. @returns how many multiplications that took */
  multiplyTransposed(weights: Float64Array, a: Float64Array, x: Float64Array): number;
}

/** A sparse matrix, row by row. */
export interface SparseRows {
  /** Where each row begins among the entries; one more for the end. */
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly weights: Float64Array;
}

export function sparseMap({ starts, columns, weights }: SparseRows, inputs: number): LinearMap {
  const outputs = starts.length - 1;
  const uses = new Int32Array(inputs);
  for (const column of columns) uses[column]! += 1;
  const lengths = Array.from({ length: outputs }, (_, row) => starts[row + 1]! - starts[row]!);
  return {
    inputs,
    outputs,
    fanIn: largest(lengths),
    fanOut: largest(uses),
    weights,
    magnitudes: weights.map(Math.abs),
    multiply(entries, x, y) {
      for (let row = 0; row < outputs; row++) {
        let sum = y[row]!;
        for (let at = starts[row]!; at < starts[row + 1]!; at++) sum += entries[at]! * x[columns[at]!]!;
        y[row] = sum;
      }
    },
    multiplyTransposed(entries, a, x) {
      let work = 0;
      for (let row = 0; row < outputs; row++) {
        const factor = a[row]!;
        if (factor === 0) continue;
        for (let at = starts[row]!; at < starts[row + 1]!; at++) x[columns[at]!]! += factor * entries[at]!;
        work += starts[row + 1]! - starts[row]!;
      }
      return work;
    },
  };
}

/**
 * Each output is one input times a number, or nothing.
 *
 * @param sources - which input each output is; −1 for none
 * @param factor - by which output `i` is multiplied
 */
export function pickMap(
  sources: ArrayLike<number>,
  inputs: number,
  factor: (i: number) => number = () => 1,
): LinearMap {
  const starts = new Int32Array(sources.length + 1);
  const columns: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < sources.length; i++) {
    if (sources[i]! >= 0) {
      columns.push(sources[i]!);
      weights.push(factor(i));
    }
    starts[i + 1] = columns.length;
  }
  return sparseMap(
    { starts, columns: Int32Array.from(columns), weights: Float64Array.from(weights) },
    inputs,
  );
}

export function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most;
}
