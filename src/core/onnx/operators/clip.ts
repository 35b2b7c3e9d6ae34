import { scalar, where } from './emit.js';
import type { Operator } from './operator.js';

/** Passes the gradient where min ≤ x ≤ max, both included, and stops it outside. */
export const clip: Operator = {
  opType: 'Clip',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const stop = (comparison: string, i: number): string[] =>
        at.has(i) ? [b.op(comparison, [at.x(0), at.x(i)])[0]] : [];
      const outside = [...stop('Less', 1), ...stop('Greater', 2)];
      return outside.reduce((gradient, condition) => where(b, condition, scalar(b, 0), gradient), dY);
    },
    undefined,
    undefined,
  ],
};
