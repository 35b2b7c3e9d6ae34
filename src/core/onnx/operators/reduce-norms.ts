import type { Axis } from '../model.js';
import { divide, floatOf, multiply, reduceSum, scalar, scale, subtract, where } from './emit.js';
import { type Reduction, reduction } from './reduce.js';
import { times } from './symbolic.js';

/** Reductions of functions of the elements. */

/** What these do when told to reduce over no axis has changed between versions of the standard. */
const overSome =
  (derive: (reduction: Reduction) => string) =>
  (at: Reduction): string =>
    at.axes.length === 0 ? at.at.refuse('reducing over no axis is not supported') : derive(at);

/** y = Σ|x|: dx = dY·sign(x). */
export const reduceL1 = reduction(
  'ReduceL1',
  18,
  overSome(({ at, dY }) => multiply(at.b, dY, at.b.op('Sign', [at.x(0)])[0])),
);

/** y = √Σx²: dx = dY·x/y, and 0 where y is 0, as in PyTorch. */
export const reduceL2 = reduction(
  'ReduceL2',
  18,
  overSome(({ at, y, dY }) => {
    const { b } = at;
    const length = y();
    const [isZero] = b.op('Equal', [length, scalar(b, 0)]);
    return multiply(b, divide(b, dY, where(b, isZero, scalar(b, 1), length)), at.x(0));
  }),
);

/** y = ln Σx. */
export const reduceLogSum = reduction(
  'ReduceLogSum',
  18,
  overSome(({ at, axes, dY }) => divide(at.b, dY, reduceSum(at.b, at.x(0), axes, true))),
);

/** y = ln Σexp(x): dx = dY·exp(x − y). */
export const reduceLogSumExp = reduction(
  'ReduceLogSumExp',
  18,
  overSome(({ at, y, dY }) => multiply(at.b, dY, at.b.op('Exp', [subtract(at.b, at.x(0), y())])[0])),
);

/** y = Σx². */
export const reduceSumSquare = reduction(
  'ReduceSumSquare',
  18,
  overSome(({ at, dY }) => multiply(at.b, scale(at.b, dY, 2), at.x(0))),
);

/**
 * y = Πx: dx = dY·(product of the others), which y/x is not once an element is 0. With one zero the others' product is
 * theirs alone; with two, everything stands still.
 */
export const reduceProd = reduction(
  'ReduceProd',
  18,
  ({ at, axes, dY }) => {
    const { b } = at;
    const one = scalar(b, 1);
    const [isZero] = b.op('Equal', [at.x(0), scalar(b, 0)]);
    const others = where(b, isZero, one, at.x(0));
    const [whole] = b.op('ReduceProd', [others, ...(at.has(1) ? [at.x(1)] : [])], {
      ...at.node.attributes,
      keepdims: { kind: 'int', value: 1 },
    });
    const zeros = floatOf(b, isZero);
    const elsewhere = subtract(b, reduceSum(b, zeros, axes, true), zeros);
    const [anyElsewhere] = b.op('Greater', [elsewhere, scalar(b, 0)]);
    return multiply(b, dY, where(b, anyElsewhere, scalar(b, 0), divide(b, whole, others)));
  },
  (values) =>
    values.reduce<Axis | undefined>((whole, value) => (whole === undefined ? whole : times(whole, value)), 1),
);
