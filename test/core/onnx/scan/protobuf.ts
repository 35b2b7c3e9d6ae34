/** One field of a message, as bytes; models that no encoder would write are put together of these. */
export type Field = Uint8Array;

/** A varint of 64 bits. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest % 128n) | 128);
  }
}

/** A number, a text, bytes, or a message of fields. */
export function field(
  number: number,
  value: number | bigint | string | Uint8Array | readonly Field[],
): Field {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(number << 3), varint(value)]);
  }
  const content =
    typeof value === 'string'
      ? Buffer.from(value)
      : value instanceof Uint8Array
        ? value
        : Buffer.concat([...value]);
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

export const packed = (number: number, values: readonly (number | bigint)[]): Field =>
  field(number, Buffer.concat(values.map(varint)));

/** `TensorProto` */
export const tensor = (
  name: string,
  type: number,
  dims: readonly (number | bigint)[],
  ...data: readonly Field[]
) => [packed(1, dims), field(2, type), field(8, name), ...data];
export const floats = (values: readonly number[]): Field =>
  field(9, new Uint8Array(Float32Array.from(values).buffer));
export const int64s = (values: readonly (number | bigint)[]): Field => packed(7, values);

/** `ValueInfoProto` of a tensor, of float unless another type is named. */
export const value = (name: string, dims: readonly (number | bigint | string)[] = ['N', 2], type = 1) => [
  field(1, name),
  field(2, [
    field(1, [
      field(1, type),
      field(
        2,
        dims.map((dim) => field(1, [field(typeof dim === 'string' ? 2 : 1, dim)])),
      ),
    ]),
  ]),
];

/** `NodeProto` */
export const node = (
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...more: readonly Field[]
) => [
  ...inputs.map((name) => field(1, name)),
  ...outputs.map((name) => field(2, name)),
  field(4, opType),
  ...more,
];

/** `AttributeProto` of a kind, with its value. */
export const attribute = (name: string, type: number, ...values: readonly Field[]): Field =>
  field(5, [field(1, name), field(20, type), ...values]);

export const graph = (
  nodes: readonly (readonly Field[])[],
  initializers: readonly (readonly Field[])[] = [],
  ...more: readonly Field[]
): readonly Field[] => [
  ...nodes.map((each) => field(1, each)),
  field(2, 'g'),
  ...initializers.map((each) => field(5, each)),
  ...more,
];

const x = field(11, value('x'));
const y = field(12, value('y'));

/** A whole model that adds something to `x`: nothing is wrong with it but what `parts` say. */
export function model(
  parts: {
    readonly nodes?: readonly (readonly Field[])[];
    readonly initializers?: readonly (readonly Field[])[];
    readonly inGraph?: readonly Field[];
    readonly inModel?: readonly Field[];
    readonly opset?: readonly Field[];
    readonly irVersion?: number;
  } = {},
): Uint8Array {
  const {
    nodes = [node('Relu', ['x'], ['y'])],
    initializers = [],
    inGraph = [],
    inModel = [],
    opset = [field(8, [field(1, ''), field(2, 17)])],
    irVersion = 8,
  } = parts;
  return Buffer.concat([
    field(1, irVersion),
    ...opset,
    field(7, graph(nodes, initializers, x, y, ...inGraph)),
    ...inModel,
  ]);
}
