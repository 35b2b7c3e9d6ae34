export { decodeModel } from './decode.js';
export { encodeModel } from './encode.js';
export { type ExecutionEnvironment, evidenceConfiguration, executionEnvironment } from './environment.js';
export { attribute, type GraphBuilder, graphBuilder, type OutputNames } from './graph-builder.js';
export type {
  Attribute,
  Axis,
  DataType,
  Graph,
  Model,
  Node,
  Tensor,
  TensorData,
  ValueInfo,
} from './model.js';
export { openSession } from './open-session.js';
export type { Feeds, OnnxSession, Results, SessionOptions } from './session.js';
export { floatTensor, int64Tensor, int64Vector } from './tensor.js';
