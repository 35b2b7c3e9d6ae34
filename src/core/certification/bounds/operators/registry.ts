import { addition, division, multiplication, negation, subtraction, sum } from './arithmetic.js';
import { batchNormalization } from './batch-normalization.js';
import { conv } from './convolution.js';
import { gemm, matMul } from './dense.js';
import { movements } from './movement.js';
import type { BoundedOperator } from './operator.js';
import { clip, leakyRelu, pRelu, relu } from './piecewise.js';
import { averagePool, globalAveragePool, globalMaxPool, maxPool, reduceMean, reduceSum } from './pooling.js';
import { sigmoid, tanh } from './sigmoidal.js';

const operators: readonly BoundedOperator[] = [
  ...movements,
  addition,
  averagePool,
  batchNormalization,
  clip,
  conv,
  division,
  gemm,
  globalAveragePool,
  globalMaxPool,
  leakyRelu,
  matMul,
  maxPool,
  multiplication,
  negation,
  pRelu,
  reduceMean,
  reduceSum,
  relu,
  sigmoid,
  subtraction,
  sum,
  tanh,
];

const byOpType = new Map(operators.map((operator) => [operator.opType, operator]));

/** @returns the operator of the standard domain, if its results can be bounded */
export function boundedOperatorOf(opType: string): BoundedOperator | undefined {
  return byOpType.get(opType);
}

/** Operators that bounds are known of, in alphabetical order. */
export const boundedOperators: readonly string[] = operators.map(({ opType }) => opType).sort();
