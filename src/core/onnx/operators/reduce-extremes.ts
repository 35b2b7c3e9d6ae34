import type { Axis } from '../model.js';
import { divide, floatOf, multiply, reduceSum } from './emit.js';
import { numeric } from './fold.js';
import { type Reduction, reduction } from './reduce.js';

/** The gradient goes to the extreme element; those that tie share it evenly, as in PyTorch's `amax`. */
const toExtremes = ({ at, axes, y, dY }: Reduction): string => {
  const { b } = at;
  const wins = floatOf(b, b.op('Equal', [at.x(0), y()])[0]);
  return multiply(b, wins, divide(b, dY, reduceSum(b, wins, axes, true)));
};

const over =
  (combine: (...values: readonly number[]) => number) =>
  (values: readonly Axis[]): Axis | undefined =>
    numeric(combine)(...values);

export const reduceMax = reduction('ReduceMax', 18, toExtremes, over(Math.max));
export const reduceMin = reduction('ReduceMin', 18, toExtremes, over(Math.min));
