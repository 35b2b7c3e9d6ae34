import type { DataType, Tensor, TensorData } from './model.js';

type DataConstructor = {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TensorData;
  new (length: number): TensorData;
  readonly BYTES_PER_ELEMENT: number;
};

/** The typed array that carries each element type. ONNX stores strings apart; Assay does not read them. */
export const dataConstructors: Readonly<Record<Exclude<DataType, 'string'>, DataConstructor>> = {
  float: Float32Array,
  double: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/**
 * Number of elements of a shape; 1 for a scalar's empty shape. `undefined` when an axis is negative or fractional, or
 * when the product passes what a typed array can hold, so that no overflow ever looks like a small tensor.
 */
export function elementCount(dims: readonly number[]): number | undefined {
  let count = 1;
  for (const axis of dims) {
    if (!Number.isInteger(axis) || axis < 0 || axis > maxElements) return undefined;
    count *= axis;
    if (count > maxElements) return undefined;
  }
  return count;
}

const maxElements = 2 ** 31 - 1;

/** Why a tensor contradicts itself, or `undefined` when its type, shape and data agree. */
export function tensorProblem({ type, dims, data }: Tensor): string | undefined {
  if (type === 'string') return 'expected a numeric tensor, got strings';
  const Data = Object.hasOwn(dataConstructors, type) ? dataConstructors[type] : undefined;
  if (!Data) return `expected a known element type, got ${String(type)}`;
  if (!(data instanceof Data)) {
    return `expected ${type} data, got ${data?.constructor?.name ?? typeof data}`;
  }
  const count = elementCount(dims);
  if (count === undefined) return `expected a shape of at most 2³¹−1 elements, got [${dims}]`;
  if (data.length !== count) return `expected ${count} elements for shape [${dims}], got ${data.length}`;
  return undefined;
}

/** A float32 tensor. */
export function floatTensor(dims: readonly number[], values: Iterable<number>): Tensor {
  return { type: 'float', dims, data: values instanceof Float32Array ? values : Float32Array.from(values) };
}

/** An int64 tensor: shapes, axes, indices and class labels. */
export function int64Tensor(dims: readonly number[], values: Iterable<number>): Tensor {
  return { type: 'int64', dims, data: BigInt64Array.from(Array.from(values, (value) => BigInt(value))) };
}

/** A one-dimensional int64 tensor, as the operators take shapes and axes. */
export function int64Vector(values: readonly number[]): Tensor {
  return int64Tensor([values.length], values);
}
