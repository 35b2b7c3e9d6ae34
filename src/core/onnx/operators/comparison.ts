import { type Combine, elementwise, numeric } from './fold.js';
import type { Operator } from './operator.js';
import { isEqual } from './symbolic.js';

/** Truth values move in steps. */
const comparison = (opType: string, combine: Combine): Operator => ({
  opType,
  infer: (at) => [elementwise(at, 'bool', combine)],
  backward: 'flat',
});

const truth = (compare: (a: number, b: number) => unknown): Combine =>
  numeric((a, b) => Number(Boolean(compare(a!, b!))));

export const equal = comparison('Equal', isEqual);
export const greater = comparison(
  'Greater',
  truth((a, b) => a > b),
);
export const greaterOrEqual = comparison(
  'GreaterOrEqual',
  truth((a, b) => a >= b),
);
export const less = comparison(
  'Less',
  truth((a, b) => a < b),
);
export const lessOrEqual = comparison(
  'LessOrEqual',
  truth((a, b) => a <= b),
);
export const and = comparison(
  'And',
  truth((a, b) => a && b),
);
export const or = comparison(
  'Or',
  truth((a, b) => a || b),
);
export const xor = comparison(
  'Xor',
  truth((a, b) => a !== b),
);
export const not = comparison(
  'Not',
  truth((a) => !a),
);
export const isNotANumber = comparison(
  'IsNaN',
  truth((a) => Number.isNaN(a)),
);
export const isInfinite: Operator = {
  opType: 'IsInf',
  infer: (at) => [elementwise(at, 'bool')],
  backward: 'flat',
};
