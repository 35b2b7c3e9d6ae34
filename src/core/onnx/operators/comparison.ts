import { broadcast } from './axes.js';
import type { Operator } from './operator.js';

const comparison = (opType: string): Operator => ({
  opType,
  infer: (at) => [
    {
      type: 'bool',
      dims: broadcast(
        at,
        at.node.inputs.map((_, i) => at.fact(i).dims),
      ),
    },
  ],
  backward: 'flat',
});

export const equal = comparison('Equal');
export const greater = comparison('Greater');
export const greaterOrEqual = comparison('GreaterOrEqual');
export const less = comparison('Less');
export const lessOrEqual = comparison('LessOrEqual');
export const and = comparison('And');
export const or = comparison('Or');
export const not = comparison('Not');
