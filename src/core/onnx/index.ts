export { ancestorsOf } from './ancestors-of.js';
export { decodeModel } from './decode.js';
export { differentiate } from './differentiate.js';
export { encodeModel } from './encode.js';
export { type ExecutionEnvironment, evidenceConfiguration, executionEnvironment } from './environment.js';
export { attribute, type GraphBuilder, graphBuilder, type OutputNames } from './graph-builder.js';
export { endsInSoftmax, importClassifier } from './import-classifier.js';
export { applicationOf, type Facts, inferFacts } from './infer-facts.js';
export { logitGradientModel, logitGradientNames, logitsModel } from './logit-gradient.js';
export { lossGradientModel, lossGradientNames } from './loss-gradient.js';
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
export { type NoiseDistribution, type NoiseInput, withNoiseInputs } from './noise-inputs.js';
export { openSession } from './open-session.js';
export type { Application } from './operators/operator.js';
export { differentiableOperators } from './operators/registry.js';
export { type Window, windowOf } from './operators/window.js';
export { type ProbeLimits, probeLimits, probeModel } from './probe-model.js';
export { type RatioAim, ratioGradientModel, ratioGradientNames } from './ratio-gradient.js';
export type { Finding, FindingLevel, ScanReport } from './scan/finding.js';
export { foreignKind } from './scan/foreign-kind.js';
export { type ScanLimits, scanLimits } from './scan/limits.js';
export { rules as scanRules } from './scan/registry.js';
export type { Rule as ScanRule, ScanOptions } from './scan/rule.js';
export { requireSafeModel, scanModel } from './scan/scan-model.js';
export type { Feeds, OnnxSession, Results, SessionOptions } from './session.js';
export { straightThroughNodes } from './straight-through.js';
export { floatTensor, int64Tensor, int64Vector } from './tensor.js';
export { unrollRecurrent } from './unroll-recurrent.js';
