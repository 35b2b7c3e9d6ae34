import { dataTypeOf } from './data-types.js';
import { defect } from './defect.js';
import type { DataType, Tensor, TensorData } from './model.js';
import { dataConstructors, elementCount } from './tensor.js';
import type { Message } from './wire-schema.js';

/** Element types that `int32_data` may carry besides int32 itself, with the values that fit them. */
const narrow: Partial<Readonly<Record<DataType, readonly [number, number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  bool: [0, 1],
  // Its bit pattern.
  float16: [0, 2 ** 16 - 1],
};

/** @throws UnreadableError unless the data is inside the file, given once, and as long as the shape says */
export function decodeTensor(message: Message<'Tensor'>, where: string): Tensor {
  const type = dataTypeOf(message.dataType ?? 0);
  if (!type || type === 'string') {
    throw defect(`${where}: element type ${message.dataType ?? 0} is not supported`);
  }
  if (message.dataLocation) throw defect(`${where}: external data is not supported`);
  const dims = message.dims ?? [];
  const count = elementCount(dims);
  if (count === undefined) {
    throw defect(`${where}: expected a shape of at most 2³¹−1 elements, got [${dims}]`);
  }
  const { floatData, int32Data, int64Data, doubleData, uint64Data, rawData } = message;
  const present = [floatData, int32Data, int64Data, doubleData, uint64Data, rawData].filter(
    (field) => field !== undefined,
  );
  if (present.length > 1) throw defect(`${where}: data is given in ${present.length} fields`);
  if (rawData) return { type, dims, data: fromRaw(rawData, type, count, where) };

  const values = typedValues(message, type, where);
  if (values.length !== count) {
    throw defect(`${where}: expected ${count} elements for shape [${dims}], got ${values.length}`);
  }
  const data = new dataConstructors[type](count);
  for (let i = 0; i < count; i++) data[i] = values[i]!;
  return { type, dims, data };
}

function fromRaw(
  raw: Uint8Array,
  type: Exclude<DataType, 'string'>,
  count: number,
  where: string,
): TensorData {
  const Data = dataConstructors[type];
  const expected = count * Data.BYTES_PER_ELEMENT;
  if (raw.length !== expected)
    throw defect(`${where}: expected ${expected} bytes of data, got ${raw.length}`);
  if (type === 'bool' && raw.some((value) => value > 1)) {
    throw defect(`${where}: expected booleans of 0 or 1`);
  }
  // A copy: the slice is rarely aligned, and must not keep the whole file alive.
  return new Data(new Uint8Array(raw).buffer);
}

function typedValues(
  message: Message<'Tensor'>,
  type: DataType,
  where: string,
): readonly number[] | readonly bigint[] {
  const { floatData, int32Data, int64Data, doubleData, uint64Data } = message;
  const range = narrow[type];
  const values = range
    ? int32Data
    : type === 'float'
      ? floatData
      : type === 'double'
        ? doubleData
        : type === 'int64'
          ? int64Data
          : uint64Data;
  const given = floatData ?? int32Data ?? int64Data ?? doubleData ?? uint64Data;
  if (given !== values) throw defect(`${where}: data is in a field for another type than ${type}`);
  if (range) {
    const stray = int32Data?.find((value) => value < range[0] || value > range[1]);
    if (stray !== undefined) throw defect(`${where}: ${stray} does not fit in ${type}`);
  }
  if (type === 'uint32') {
    const stray = uint64Data?.find((value) => value > 0xffff_ffffn);
    if (stray !== undefined) throw defect(`${where}: ${stray} does not fit in uint32`);
    return uint64Data?.map(Number) ?? [];
  }
  return values ?? [];
}
