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
    domain: [4, 'dropped', 'string'],
    modelVersion: [5, 'dropped', 'int64'],
    docString: [6, 'dropped', 'string'],
    graph: [7, 'Graph'],
    opsetImport: [8, 'OperatorSet[]'],
    metadataProps: [14, 'Entry[]'],
    trainingInfo: [20, 'refused', 'TrainingInfo[]'],
    functions: [25, 'refused', 'Function[]'],
    configuration: [26, 'refused', 'DeviceConfiguration[]'],
  },
  OperatorSet: { domain: [1, 'string'], version: [2, 'int'] },
  Entry: { key: [1, 'string'], value: [2, 'string'] },
  Graph: {
    node: [1, 'Node[]'],
    name: [2, 'string'],
    initializer: [5, 'Tensor[]'],
    docString: [10, 'dropped', 'string'],
    input: [11, 'Value[]'],
    output: [12, 'Value[]'],
    // Shapes that a tool inferred; ONNX Runtime and Assay infer their own.
    valueInfo: [13, 'dropped', 'Value[]'],
    quantizationAnnotation: [14, 'refused', 'TensorAnnotation[]'],
    sparseInitializer: [15, 'refused', 'SparseTensor[]'],
    metadataProps: [16, 'dropped', 'Entry[]'],
  },
  Node: {
    input: [1, 'string[]'],
    output: [2, 'string[]'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'Attribute[]'],
    docString: [6, 'dropped', 'string'],
    domain: [7, 'string'],
    overload: [8, 'string'],
    metadataProps: [9, 'dropped', 'Entry[]'],
    deviceConfigurations: [10, 'refused', 'NodeDeviceConfiguration[]'],
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
    tensors: [10, 'refused', 'Tensor[]'],
    graphs: [11, 'refused', 'Graph[]'],
    docString: [13, 'dropped', 'string'],
    tp: [14, 'refused', 'Type'],
    typeProtos: [15, 'refused', 'Type[]'],
    type: [20, 'int'],
    refAttrName: [21, 'refused', 'string'],
    sparseTensor: [22, 'refused', 'SparseTensor'],
    sparseTensors: [23, 'refused', 'SparseTensor[]'],
  },
  Tensor: {
    dims: [1, 'int[]'],
    dataType: [2, 'int'],
    segment: [3, 'refused', 'Segment'],
    floatData: [4, 'float[]'],
    int32Data: [5, 'int[]'],
    stringData: [6, 'refused', 'bytes[]'],
    int64Data: [7, 'int64[]'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double[]'],
    uint64Data: [11, 'uint64[]'],
    docString: [12, 'dropped', 'string'],
    externalData: [13, 'refused', 'Entry[]'],
    dataLocation: [14, 'int'],
    metadataProps: [16, 'dropped', 'Entry[]'],
  },
  Value: {
    name: [1, 'string'],
    type: [2, 'Type'],
    docString: [3, 'dropped', 'string'],
    metadataProps: [4, 'dropped', 'Entry[]'],
  },
  Type: {
    tensor: [1, 'TensorType'],
    sequence: [4, 'refused', 'ElementType'],
    map: [5, 'refused', 'MapType'],
    denotation: [6, 'dropped', 'string'],
    opaque: [7, 'refused', 'OpaqueType'],
    sparseTensor: [8, 'refused', 'TensorType'],
    optional: [9, 'refused', 'ElementType'],
  },
  TensorType: { elementType: [1, 'int'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension[]'] },
  Dimension: { value: [1, 'int'], parameter: [2, 'string'], denotation: [3, 'dropped', 'string'] },
  TrainingInfo: {
    initialization: [1, 'refused', 'Graph'],
    algorithm: [2, 'refused', 'Graph'],
    initializationBinding: [3, 'refused', 'Entry[]'],
    updateBinding: [4, 'refused', 'Entry[]'],
  },
  Function: {
    name: [1, 'string'],
    input: [4, 'string[]'],
    output: [5, 'string[]'],
    attribute: [6, 'string[]'],
    node: [7, 'Node[]'],
    docString: [8, 'dropped', 'string'],
    opsetImport: [9, 'OperatorSet[]'],
    domain: [10, 'string'],
    attributeProto: [11, 'Attribute[]'],
    valueInfo: [12, 'dropped', 'Value[]'],
    overload: [13, 'string'],
    metadataProps: [14, 'dropped', 'Entry[]'],
  },
  SparseTensor: { values: [1, 'Tensor'], indices: [2, 'Tensor'], dims: [3, 'int[]'] },
  Segment: { begin: [1, 'int64'], end: [2, 'int64'] },
  ElementType: { elementType: [1, 'Type'] },
  MapType: { keyType: [1, 'int'], valueType: [2, 'Type'] },
  OpaqueType: { domain: [1, 'string'], name: [2, 'string'] },
  TensorAnnotation: { tensorName: [1, 'string'], parameters: [2, 'Entry[]'] },
  DeviceConfiguration: { name: [1, 'string'], devices: [2, 'int'], device: [3, 'string[]'] },
  NodeDeviceConfiguration: {
    configuration: [1, 'string'],
    sharding: [2, 'Sharding[]'],
    pipelineStage: [3, 'int'],
  },
  Sharding: {
    tensorName: [1, 'string'],
    device: [2, 'int64[]'],
    groups: [3, 'DeviceGroup[]'],
    shardedDim: [4, 'ShardedDim[]'],
  },
  DeviceGroup: { key: [1, 'int64'], value: [2, 'int64[]'] },
  ShardedDim: { axis: [1, 'int64'], simpleSharding: [2, 'SimpleSharding[]'] },
  SimpleSharding: { value: [1, 'int64'], parameter: [2, 'string'], shards: [3, 'int64'] },
} as const satisfies Record<string, Record<string, readonly [number, string, string?]>>;

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
  readonly [F in keyof WireSchema[M] as WireSchema[M][F] extends readonly [
    number,
    'dropped' | 'refused',
    string,
  ]
    ? never
    : F]?: WireSchema[M][F] extends readonly [number, infer T] ? FieldValue<T> : never;
};
