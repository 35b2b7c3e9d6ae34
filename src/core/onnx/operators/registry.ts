import { addition, division, multiplication, power, subtraction, sum } from './arithmetic.js';
import { averagePool, globalAveragePool } from './average-pool.js';
import { batchNormalization } from './batch-normalization.js';
import { cast } from './cast.js';
import { clip } from './clip.js';
import { and, equal, greater, greaterOrEqual, less, lessOrEqual, not, or } from './comparison.js';
import { concat, split } from './concat.js';
import { constant } from './constant.js';
import { conv } from './conv.js';
import { dropout } from './dropout.js';
import { gather } from './gather.js';
import { gemm } from './gemm.js';
import { matMul } from './matmul.js';
import { maxPool } from './max-pool.js';
import type { Operator } from './operator.js';
import { reduceMean, reduceSum } from './reduce.js';
import { flatten, identity, reshape, squeeze, unsqueeze } from './reshape.js';
import { shape } from './shape.js';
import { slice } from './slice.js';
import { logSoftmax, softmax } from './softmax.js';
import { transpose } from './transpose.js';
import { exponential, leakyRelu, logarithm, negation, relu, sigmoid, squareRoot, tanh } from './unary.js';
import { where } from './where.js';

const operators: readonly Operator[] = [
  addition,
  and,
  averagePool,
  batchNormalization,
  cast,
  clip,
  concat,
  constant,
  conv,
  division,
  dropout,
  equal,
  exponential,
  flatten,
  gather,
  gemm,
  globalAveragePool,
  greater,
  greaterOrEqual,
  identity,
  leakyRelu,
  less,
  lessOrEqual,
  logarithm,
  logSoftmax,
  matMul,
  maxPool,
  multiplication,
  negation,
  not,
  or,
  power,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  shape,
  sigmoid,
  slice,
  softmax,
  split,
  squareRoot,
  squeeze,
  subtraction,
  sum,
  tanh,
  transpose,
  unsqueeze,
  where,
];

const byOpType = new Map(operators.map((operator) => [operator.opType, operator]));

/** @returns the operator of the standard domain, if it can be differentiated */
export function operatorOf(opType: string): Operator | undefined {
  return byOpType.get(opType);
}

/** Operators that `differentiate` supports, in alphabetical order. */
export const differentiableOperators: readonly string[] = operators.map(({ opType }) => opType).sort();
