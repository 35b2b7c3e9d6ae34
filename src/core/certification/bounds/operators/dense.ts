import type { LinearMap } from '../linear-map.js';
import { broadcastSources } from './broadcast.js';
import type { BoundedOperator, Rule, Use } from './operator.js';

/**
 * Rows of x, each times one matrix: y = x·W.
 *
 * @param weights - [inner, columns], row-major
 */
export function denseMap(rows: number, inner: number, columns: number, weights: Float64Array): LinearMap {
  return {
    inputs: rows * inner,
    outputs: rows * columns,
    fanIn: inner,
    fanOut: columns,
    weights,
    magnitudes: weights.map(Math.abs),
    multiply(entries, x, y) {
      for (let row = 0; row < rows; row++) {
        const to = row * columns;
        for (let k = 0; k < inner; k++) {
          const factor = x[row * inner + k]!;
          const from = k * columns;
          for (let j = 0; j < columns; j++) y[to + j]! += factor * entries[from + j]!;
        }
      }
    },
    multiplyTransposed(entries, a, x) {
      let work = 0;
      const used = new Int32Array(columns);
      for (let row = 0; row < rows; row++) {
        const from = row * columns;
        let count = 0;
        for (let j = 0; j < columns; j++) if (a[from + j] !== 0) used[count++] = j;
        if (count === 0) continue;
        work += count * inner;
        for (let k = 0; k < inner; k++) {
          let sum = 0;
          for (let i = 0; i < count; i++) sum += a[from + used[i]!]! * entries[k * columns + used[i]!]!;
          x[row * inner + k]! += sum;
        }
      }
      return work;
    },
  };
}

/** Y = α·A'·B' + β·C, the matrix B and the bias C constant. */
export const gemm: BoundedOperator = {
  opType: 'Gemm',
  bind(use) {
    if (!use.isLive(0) || use.isLive(1) || (use.has(2) && use.isLive(2)) || use.int('transA', 0) !== 0) {
      use.refuse('bounds are known for one live factor, the left one and not transposed');
    }
    const [rows, columns] = use.resultDims(0) as [number, number];
    const inner = use.dims(0)[1]!;
    const alpha = use.float('alpha', 1);
    const given = use.constant(1);
    // Products of two float32 numbers are exact in float64.
    const weights = use.int('transB', 0)
      ? transposed(given, columns, inner).map((value) => alpha * value)
      : given.map((value) => alpha * value);
    const term = { input: 0, map: denseMap(rows, inner, columns, weights) };
    return [{ kind: 'affine', terms: [term], ...biasOf(use, rows, columns), roundings: inner + 4 }];
  },
};

function biasOf(use: Use, rows: number, columns: number): { readonly bias?: Float64Array } {
  if (!use.has(2)) return {};
  const beta = use.float('beta', 1);
  const constant = use.constant(2);
  const sources = broadcastSources(use.dims(2), [rows, columns]);
  return { bias: Float64Array.from(sources, (at) => beta * constant[at]!) };
}

/** Y = A·B, one of them constant; a constant on the right is a single matrix. */
export const matMul: BoundedOperator = {
  opType: 'MatMul',
  bind(use): readonly Rule[] {
    const [live, constant] = use.isLive(0) ? ([0, 1] as const) : ([1, 0] as const);
    if (use.isLive(constant)) use.refuse('bounds are known for one live factor only');
    const matrix = use.dims(constant);
    const given = use.dims(live);
    if (matrix.length !== 2) use.refuse(`expected a constant matrix, got [${matrix}]`);
    if (live === 0) {
      const [inner, columns] = matrix as [number, number];
      const rows = given.reduce((a, b) => a * b, 1) / inner;
      const map = denseMap(rows, inner, columns, use.constant(1));
      return [{ kind: 'affine', terms: [{ input: 0, map }], roundings: inner + 2 }];
    }
    if (given.length > 2) use.refuse(`expected a matrix or a vector on the right, got [${given}]`);
    const [rows, inner] = matrix as [number, number];
    const map = leftMap(rows, inner, given[1] ?? 1, use.constant(0));
    return [{ kind: 'affine', terms: [{ input: 1, map }], roundings: inner + 2 }];
  },
};

/** y = W·x of a matrix x [inner, columns]: the same map of every column. */
function leftMap(rows: number, inner: number, columns: number, weights: Float64Array): LinearMap {
  const map = denseMap(columns, inner, rows, transposed(weights, rows, inner));
  return {
    ...map,
    multiply(entries, x, y) {
      const result = new Float64Array(y.length);
      map.multiply(entries, transposed(x, inner, columns), result);
      transposed(result, columns, rows).forEach((value, i) => {
        y[i]! += value;
      });
    },
    multiplyTransposed(entries, a, x) {
      const result = new Float64Array(x.length);
      const work = map.multiplyTransposed(entries, transposed(a, rows, columns), result);
      transposed(result, columns, inner).forEach((value, i) => {
        x[i]! += value;
      });
      return work;
    },
  };
}

/** A matrix [rows, columns] as [columns, rows]. */
function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}
