import { RefusedError } from '../../errors/index.js';

/** A NumPy array, row-major. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: NumpyData;
}

export type NumpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** NumPy's own limit is 10,000; its headers are about 100 bytes. */
const MAXIMUM_HEADER_BYTES = 10_000;
const MAXIMUM_AXES = 32;
const MAXIMUM_ELEMENTS = 2 ** 31 - 1;

/** Element types by NumPy's description. */
const types = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '|i1': Int8Array,
  '|u1': Uint8Array,
  '|b1': Uint8Array,
  '<i2': Int16Array,
  '<u2': Uint16Array,
  '<i4': Int32Array,
  '<u4': Uint32Array,
  '<i8': BigInt64Array,
  '<u8': BigUint64Array,
} as const;

const HEADER =
  /^\{'descr': '([^'\\]{1,16})', 'fortran_order': (True|False), 'shape': \(([\d, ]{0,400})\),? ?\} *\n$/;

/**
 * Reads a `.npy` file, format 1.0 to 3.0: little-endian numbers in C order. The header is matched, never evaluated, and
 * nothing is allocated for a shape that the bytes do not fill.
 *
 * @param bytes - the whole file
 * @param name - as the user knows it, for errors
 * @throws RefusedError `source-unreadable`
 */
export function decodeNpy(bytes: Uint8Array, name: string): NumpyArray {
  const refuse = (message: string): never => {
    throw new RefusedError('source-unreadable', `${name}: ${message}`);
  };
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < 12 || !view.subarray(0, 6).equals(MAGIC)) return refuse('expected a .npy array');
  const version = view[6]!;
  if (version < 1 || version > 3) return refuse(`expected .npy format 1 to 3, got ${version}`);
  const [start, length] = version === 1 ? [10, view.readUInt16LE(8)] : [12, view.readUInt32LE(8)];
  if (length > MAXIMUM_HEADER_BYTES || start + length > view.length) {
    return refuse(`expected a header that ends inside the file, got ${length} bytes of header`);
  }
  const matched = HEADER.exec(view.toString('latin1', start, start + length));
  if (!matched) return refuse('expected a header of descr, fortran_order and shape');
  const [, described, order, axes] = matched as unknown as [string, string, string, string];
  if (!Object.hasOwn(types, described)) {
    const known = 'float32, float64, bool or integers, little-endian';
    return refuse(`expected elements of ${known}, got '${described}'; convert with array.astype('float32')`);
  }
  const shape = shapeOf(axes);
  if (!shape) return refuse(`expected a shape such as (100, 28, 28), got (${axes})`);
  const elements = shape.reduce((product, axis) => product * axis, 1);
  if (elements > MAXIMUM_ELEMENTS) return refuse(`expected at most ${MAXIMUM_ELEMENTS} elements, got more`);
  if (order === 'True' && shape.filter((axis) => axis !== 1).length > 1) {
    return refuse('expected C order, got Fortran order; convert with numpy.ascontiguousarray');
  }
  const ArrayType = types[described as keyof typeof types];
  const content = view.subarray(start + length);
  if (content.length !== elements * ArrayType.BYTES_PER_ELEMENT) {
    return refuse(
      `expected ${elements * ArrayType.BYTES_PER_ELEMENT} bytes for shape (${shape.join(', ')}) of ${described}, got ${content.length}`,
    );
  }
  // A copy, since elements in the file need not be aligned.
  const { buffer, byteOffset } = Uint8Array.from(content);
  return { shape, data: new ArrayType(buffer, byteOffset, elements) };
}

/** `3, 4` as Python writes the inside of a tuple: one axis has a comma after it. */
function shapeOf(text: string): readonly number[] | undefined {
  const axes = text.split(',').map((axis) => axis.trim());
  const last = axes.pop()!;
  if (last !== '') {
    if (axes.length === 0) return undefined;
    axes.push(last);
  }
  const valid = axes.length <= MAXIMUM_AXES && axes.every((axis) => /^(0|[1-9]\d*)$/.test(axis));
  return valid ? axes.map(Number) : undefined;
}

/**
 * Writes a float32 array as `.npy`, format 1.0.
 * @param shape - of `data`, row-major
 */
export function encodeNpy(shape: readonly number[], data: Float32Array): Uint8Array {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${axes}), }`;
  // The data begins at a multiple of 64 bytes, as the format asks.
  const padded = `${header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11)}\n`;
  const start = Buffer.alloc(10);
  MAGIC.copy(start);
  start[6] = 1;
  start.writeUInt16LE(padded.length, 8);
  const values = Buffer.alloc(data.length * 4);
  for (const [i, value] of data.entries()) values.writeFloatLE(value, i * 4);
  return Uint8Array.from(Buffer.concat([start, Buffer.from(padded, 'latin1'), values]));
}
