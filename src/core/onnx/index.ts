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
export type { OnnxSession, SessionOptions } from './session.js';
