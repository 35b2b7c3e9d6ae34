/**
 * The messages of onnx.proto (IR versions 3 to 12) that Assay reads and writes, as `[field number, type]`.
 *
 * `dropped` fields are prose or hints without effect on what a model computes. `refused` ones change its meaning in
 * ways that `Model` cannot hold. A field that is not listed is refused too: a reader that skips what it does not
 * know would scan one model while ONNX Runtime runs another.
 */
export const wireSchema = {
  Model: {
    irVersion: [1, 'int'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    domain: [4, 'dropped'],
    modelVersion: [5, 'dropped'],
    docString: [6, 'dropped'],
    graph: [7, 'Graph'],
    opsetImport: [8, 'OperatorSet[]'],
    metadataProps: [14, 'Entry[]'],
    trainingInfo: [20, 'refused'],
    functions: [25, 'refused'],
    configuration: [26, 'refused'],
  },
  OperatorSet: { domain: [1, 'string'], version: [2, 'int'] },
  Entry: { key: [1, 'string'], value: [2, 'string'] },
  Graph: {
    node: [1, 'Node[]'],
    name: [2, 'string'],
    initializer: [5, 'Tensor[]'],
    docString: [10, 'dropped'],
    input: [11, 'Value[]'],
    output: [12, 'Value[]'],
    // Shapes that a tool inferred; ONNX Runtime and Assay infer their own.
    valueInfo: [13, 'dropped'],
    quantizationAnnotation: [14, 'refused'],
    sparseInitializer: [15, 'refused'],
    metadataProps: [16, 'dropped'],
  },
  Node: {
    input: [1, 'string[]'],
    output: [2, 'string[]'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'Attribute[]'],
    docString: [6, 'dropped'],
    domain: [7, 'string'],
    overload: [8, 'string'],
    metadataProps: [9, 'dropped'],
    deviceConfigurations: [10, 'refused'],
  },
  Attribute: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int'],
    s: [4, 'string'],
    t: [5, 'Tensor'],
    g: [6, 'Graph'],
    floats: [7, 'float[]'],
    ints: [8, 'int[]'],
    strings: [9, 'string[]'],
    tensors: [10, 'refused'],
    graphs: [11, 'refused'],
    docString: [13, 'dropped'],
    tp: [14, 'refused'],
    typeProtos: [15, 'refused'],
    type: [20, 'int'],
    refAttrName: [21, 'refused'],
    sparseTensor: [22, 'refused'],
    sparseTensors: [23, 'refused'],
  },
  Tensor: {
    dims: [1, 'int[]'],
    dataType: [2, 'int'],
    segment: [3, 'refused'],
    floatData: [4, 'float[]'],
    int32Data: [5, 'int[]'],
    stringData: [6, 'refused'],
    int64Data: [7, 'int64[]'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double[]'],
    uint64Data: [11, 'uint64[]'],
    docString: [12, 'dropped'],
    externalData: [13, 'refused'],
    dataLocation: [14, 'int'],
    metadataProps: [16, 'dropped'],
  },
  Value: {
    name: [1, 'string'],
    type: [2, 'Type'],
    docString: [3, 'dropped'],
    metadataProps: [4, 'dropped'],
  },
  Type: {
    tensor: [1, 'TensorType'],
    sequence: [4, 'refused'],
    map: [5, 'refused'],
    denotation: [6, 'dropped'],
    opaque: [7, 'refused'],
    sparseTensor: [8, 'refused'],
    optional: [9, 'refused'],
  },
  TensorType: { elementType: [1, 'int'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension[]'] },
  Dimension: { value: [1, 'int'], parameter: [2, 'string'], denotation: [3, 'dropped'] },
} as const satisfies Record<string, Record<string, readonly [number, string]>>;

type WireSchema = typeof wireSchema;
export type MessageName = keyof WireSchema;

interface Scalars {
  /** An integer of at most 53 bits: shapes, versions, enumerations, attributes. */
  int: number;
  int64: bigint;
  uint64: bigint;
  float: number;
  double: number;
  string: string;
  bytes: Uint8Array;
  dropped: never;
  refused: never;
}
export type ScalarName = Exclude<keyof Scalars, 'dropped' | 'refused'>;

type One<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? Message<T> : never;
type FieldValue<T> = T extends `${infer Item}[]` ? readonly One<Item>[] : One<T>;

/** A message as it stands on the wire: absent fields are absent, nothing is interpreted. */
export type Message<M extends MessageName> = {
  readonly [F in keyof WireSchema[M] as WireSchema[M][F] extends readonly [number, 'dropped' | 'refused']
    ? never
    : F]?: WireSchema[M][F] extends readonly [number, infer T] ? FieldValue<T> : never;
};
