import { absoluteAxis } from './axes.js';
import { multiply, reduceSum, subtract } from './emit.js';
import type { Application, Fact, Operator } from './operator.js';

const infer = (at: Application): readonly Fact[] => [{ type: at.fact(0).type, dims: at.fact(0).dims }];

/** The axes that sum to one: a single one, and before operator set 13 all from `axis` to the last. */
function normalized(at: Application): readonly number[] {
  const rank = at.fact(0).dims.length;
  const axis = absoluteAxis(at, at.int('axis', at.opset < 13 ? 1 : -1), rank);
  return at.opset < 13 ? Array.from({ length: rank - axis }, (_, i) => axis + i) : [axis];
}

/** dx = (dY − Σ dY·y)·y. */
export const softmax: Operator = {
  opType: 'Softmax',
  infer,
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const mean = reduceSum(b, multiply(b, dY, at.y(0)), normalized(at), true);
      return multiply(b, subtract(b, dY, mean), at.y(0));
    },
  ],
};

/** dx = dY − exp(y)·Σ dY. */
export const logSoftmax: Operator = {
  opType: 'LogSoftmax',
  infer,
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const [probabilities] = b.op('Exp', [at.y(0)]);
      return subtract(b, dY, multiply(b, probabilities, reduceSum(b, dY, normalized(at), true)));
    },
  ],
};
