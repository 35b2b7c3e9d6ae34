/** The part of ONNX's `TensorProto.DataType` that Assay reads and writes. */
export type DataType =
  | 'float'
  | 'double'
  | 'float16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string';

export type TensorData =
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

/** A dense tensor, row-major; `float16` and `bool` are carried as Uint16Array and Uint8Array. */
export interface Tensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** An axis: its length, or its symbolic name such as `N`. */
export type Axis = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly Axis[];
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph };

export interface Node {
  readonly name: string;
  readonly opType: string;
  /** '' is the standard domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: Readonly<Record<string, Tensor>>;
  /** In topological order. */
  readonly nodes: readonly Node[];
}

export interface Model {
  readonly irVersion: number;
  /** Version of the standard operator set. */
  readonly opset: number;
  readonly producer: string;
  readonly graph: Graph;
  readonly metadata: Readonly<Record<string, string>>;
}
