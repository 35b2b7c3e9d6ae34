import type { DataType } from './model.js';

/** `TensorProto.DataType` by number. */
const names: Readonly<Record<number, DataType>> = {
  1: 'float',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'double',
  12: 'uint32',
  13: 'uint64',
};

const numbers = new Map(Object.entries(names).map(([number, name]) => [name, Number(number)]));

/** @returns the type with this number in `TensorProto.DataType`; `undefined` for those that Assay does not read */
export function dataTypeOf(number: number): DataType | undefined {
  return names[number];
}

/** @returns the number of a type in `TensorProto.DataType` */
export function dataTypeNumber(type: DataType): number {
  return numbers.get(type)!;
}
