import { absoluteAxis } from './axes.js';
import { divide, multiply, reduceSum, scalar, squared, subtract, where } from './emit.js';
import type { Application, Operator } from './operator.js';
import { standardize } from './standardize.js';

const infer = (at: Application) => [{ type: at.fact(0).type, dims: at.fact(0).dims }];

/** y = x/‖x‖ₚ along an axis: dx = (dY − g·Σ dY·y)/‖x‖ₚ, where g is sign(x) for p = 1 and y for p = 2. */
export const lpNormalization: Operator = {
  opType: 'LpNormalization',
  infer,
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const p = at.int('p', 2);
      const axes = [absoluteAxis(at, at.int('axis', -1), at.fact(0).dims.length)];
      const total = (value: string): string => reduceSum(b, value, axes, true);
      const length =
        p === 1 ? total(b.op('Abs', [at.x(0)])[0]) : b.op('Sqrt', [total(squared(b, at.x(0)))])[0];
      const direction = p === 1 ? b.op('Sign', [at.x(0)])[0] : at.y(0);
      const rest = subtract(b, dY, multiply(b, direction, total(multiply(b, dY, at.y(0)))));
      const [isZero] = b.op('Equal', [length, scalar(b, 0)]);
      // At 0 the direction jumps; the runtime answers 0 there.
      return where(b, isZero, scalar(b, 0), divide(b, rest, length));
    },
  ],
};

/** y = (x − mean)/(√variance + 10⁻⁹) over axes. */
export const meanVarianceNormalization: Operator = {
  opType: 'MeanVarianceNormalization',
  infer,
  backward: (at, dY) => [
    () => {
      const { length } = at.fact(0).dims;
      const axes = (at.ints('axes') ?? [0, 2, 3]).map((axis) => absoluteAxis(at, axis, length));
      return standardize(at.b, at.x(0), axes, 1e-18).backward(dY);
    },
  ],
};
