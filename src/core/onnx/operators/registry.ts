import {
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  mish,
  relu,
  selu,
  shrink,
  sigmoid,
  softplus,
  softsign,
  tanh,
  thresholdedRelu,
} from './activations.js';
import { argMax, argMin, hardmax } from './arg-extreme.js';
import { addition, division, mean, modulo, multiplication, power, subtraction, sum } from './arithmetic.js';
import { averagePool, globalAveragePool } from './average-pool.js';
import { batchNormalization } from './batch-normalization.js';
import { cast } from './cast.js';
import { clip } from './clip.js';
import {
  and,
  equal,
  greater,
  greaterOrEqual,
  isInfinite,
  isNotANumber,
  less,
  lessOrEqual,
  not,
  or,
  xor,
} from './comparison.js';
import { concat, split } from './concat.js';
import { constant } from './constant.js';
import { conv } from './conv.js';
import { convTranspose } from './conv-transpose.js';
import { cumSum } from './cum-sum.js';
import { depthToSpace, spaceToDepth } from './depth-to-space.js';
import { dropout } from './dropout.js';
import { einsum } from './einsum.js';
import { expand, tile } from './expand.js';
import { maximum, minimum } from './extremes.js';
import { gather } from './gather.js';
import { gatherElements, gatherND, scatterElements, scatterND } from './gather-elements.js';
import { gemm } from './gemm.js';
import { groupNormalization, instanceNormalization } from './group-normalization.js';
import { layerNormalization } from './layer-normalization.js';
import { globalLpPool, lpPool } from './lp-pool.js';
import { lrn } from './lrn.js';
import { matMul } from './matmul.js';
import { globalMaxPool, maxPool } from './max-pool.js';
import { oneHot } from './one-hot.js';
import type { Operator } from './operator.js';
import { pRelu } from './p-relu.js';
import { pad } from './pad.js';
import { dequantizeLinear, quantizeLinear } from './quantize.js';
import { constantOfShape, eyeLike, range } from './range.js';
import { reduceMean, reduceSum } from './reduce.js';
import { reduceMax, reduceMin } from './reduce-extremes.js';
import {
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceProd,
  reduceSumSquare,
} from './reduce-norms.js';
import { flatten, identity, reshape, squeeze, unsqueeze } from './reshape.js';
import { resize } from './resize.js';
import { ceiling, floor, round, sign } from './rounding.js';
import { shape, size } from './shape.js';
import { slice } from './slice.js';
import { logSoftmax, softmax } from './softmax.js';
import { topK } from './top-k.js';
import { transpose } from './transpose.js';
import { trilu } from './trilu.js';
import {
  absolute,
  arcCosine,
  arcSine,
  arcTangent,
  areaCosine,
  areaSine,
  areaTangent,
  cosine,
  errorFunction,
  exponential,
  hyperbolicCosine,
  hyperbolicSine,
  inverse,
  logarithm,
  negation,
  sine,
  squareRoot,
  tangent,
} from './unary.js';
import { lpNormalization, meanVarianceNormalization } from './unit-normalization.js';
import { where } from './where.js';

const operators: readonly Operator[] = [
  absolute,
  addition,
  and,
  arcCosine,
  arcSine,
  arcTangent,
  areaCosine,
  areaSine,
  areaTangent,
  argMax,
  argMin,
  averagePool,
  batchNormalization,
  cast,
  ceiling,
  celu,
  clip,
  concat,
  constant,
  constantOfShape,
  conv,
  convTranspose,
  cosine,
  cumSum,
  depthToSpace,
  dequantizeLinear,
  division,
  dropout,
  einsum,
  elu,
  equal,
  errorFunction,
  expand,
  exponential,
  eyeLike,
  flatten,
  floor,
  gather,
  gatherElements,
  gatherND,
  gelu,
  gemm,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  greater,
  greaterOrEqual,
  groupNormalization,
  hardmax,
  hardSigmoid,
  hardSwish,
  hyperbolicCosine,
  hyperbolicSine,
  identity,
  instanceNormalization,
  inverse,
  isInfinite,
  isNotANumber,
  layerNormalization,
  leakyRelu,
  less,
  lessOrEqual,
  logarithm,
  logSoftmax,
  lpNormalization,
  lpPool,
  lrn,
  matMul,
  maximum,
  maxPool,
  mean,
  meanVarianceNormalization,
  minimum,
  mish,
  modulo,
  multiplication,
  negation,
  not,
  oneHot,
  or,
  pad,
  power,
  pRelu,
  quantizeLinear,
  range,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  resize,
  round,
  scatterElements,
  scatterND,
  selu,
  shape,
  shrink,
  sigmoid,
  sign,
  sine,
  size,
  slice,
  softmax,
  softplus,
  softsign,
  spaceToDepth,
  split,
  squareRoot,
  squeeze,
  subtraction,
  sum,
  tangent,
  tanh,
  thresholdedRelu,
  tile,
  topK,
  transpose,
  trilu,
  unsqueeze,
  where,
  xor,
];

const byOpType = new Map(operators.map((operator) => [operator.opType, operator]));

/** @returns the operator of the standard domain, if it can be differentiated */
export function operatorOf(opType: string): Operator | undefined {
  return byOpType.get(opType);
}

/** Operators that `differentiate` supports, in alphabetical order. */
export const differentiableOperators: readonly string[] = operators.map(({ opType }) => opType).sort();
