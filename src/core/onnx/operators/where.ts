import { where as emitWhere, reduceTo, scalar } from './emit.js';
import { elementwise } from './fold.js';
import type { BackwardApplication, GradientRule, Operator } from './operator.js';

const branch =
  (at: BackwardApplication, i: number, masked: GradientRule): GradientRule =>
  () =>
    reduceTo(at.b, masked(), at.result(0).dims, at.fact(i).dims);

/** Each element's gradient goes to the branch that it came from. */
export const where: Operator = {
  opType: 'Where',
  infer: (at) => [elementwise(at, at.fact(1).type, (condition, x, y) => (condition === 0 ? y : x))],
  backward: (at, dY) => [
    undefined,
    branch(at, 1, () => emitWhere(at.b, at.x(0), dY, scalar(at.b, 0))),
    branch(at, 2, () => emitWhere(at.b, at.x(0), scalar(at.b, 0), dY)),
  ],
};
