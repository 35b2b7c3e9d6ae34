import { multiply, reduceTo, scalar, where } from './emit.js';
import type { BackwardApplication, Operator } from './operator.js';

/** y = x where x > 0, else slope·x; the slope is broadcast to x. At 0 the slope is taken, as PyTorch does. */
export const pRelu: Operator = {
  opType: 'PRelu',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => [
    () => where(at.b, isPositive(at), dY, multiply(at.b, dY, at.x(1))),
    () => {
      const { b } = at;
      const gradient = where(b, isPositive(at), scalar(b, 0), multiply(b, dY, at.x(0)));
      return reduceTo(b, gradient, at.result(0).dims, at.fact(1).dims);
    },
  ],
};

const isPositive = ({ b, x }: BackwardApplication): string => b.op('Greater', [x(0), scalar(b, 0)])[0];
