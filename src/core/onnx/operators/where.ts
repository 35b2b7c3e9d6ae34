import { broadcast } from './axes.js';
import { where as emitWhere, reduceTo, scalar } from './emit.js';
import type { BackwardApplication, GradientRule, Operator } from './operator.js';

const branch =
  (at: BackwardApplication, i: number, masked: GradientRule): GradientRule =>
  () =>
    reduceTo(at.b, masked(), at.result(0).dims, at.fact(i).dims);

/** Each element's gradient goes to the branch that it came from. */
export const where: Operator = {
  opType: 'Where',
  infer: (at) => [
    { type: at.fact(1).type, dims: broadcast(at, [at.fact(0).dims, at.fact(1).dims, at.fact(2).dims]) },
  ],
  backward: (at, dY) => [
    undefined,
    branch(at, 1, () => emitWhere(at.b, at.x(0), dY, scalar(at.b, 0))),
    branch(at, 2, () => emitWhere(at.b, at.x(0), scalar(at.b, 0), dY)),
  ],
};
