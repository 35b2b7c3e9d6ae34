import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { divide, multiply, negate, reduceTo, scalar, scale, subtract, where } from './emit.js';
import { type Combine, elementwise, numeric } from './fold.js';
import type { Application, BackwardApplication, Fact, GradientRule, Operator } from './operator.js';
import { minus, over, plus, times } from './symbolic.js';

const infer =
  (combine: Combine) =>
  (at: Application): readonly Fact[] => [elementwise(at, at.fact(0).type, combine)];

/** The gradient of an operand, summed over the axes along which it was broadcast. */
const operand =
  (at: BackwardApplication, i: number, gradient: GradientRule): GradientRule =>
  () =>
    reduceTo(at.b, gradient(), at.result(0).dims, at.fact(i).dims);

export const addition: Operator = {
  opType: 'Add',
  infer: infer(plus),
  backward: (at, dY) => [operand(at, 0, () => dY), operand(at, 1, () => dY)],
};

export const subtraction: Operator = {
  opType: 'Sub',
  infer: infer(minus),
  backward: (at, dY) => [operand(at, 0, () => dY), operand(at, 1, () => negate(at.b, dY))],
};

export const multiplication: Operator = {
  opType: 'Mul',
  infer: infer(times),
  backward: (at, dY) => [
    operand(at, 0, () => multiply(at.b, dY, at.x(1))),
    operand(at, 1, () => multiply(at.b, dY, at.x(0))),
  ],
};

/** Integers are divided towards zero; by zero, nothing is known. */
const truncated: Combine = (a, b) => {
  if (b === 0) return undefined;
  const ratio = over(a!, b!);
  return typeof ratio === 'number' ? Math.trunc(ratio) : ratio;
};

/** y = a/b: da = dY/b, db = −dY·y/b. */
export const division: Operator = {
  opType: 'Div',
  infer: (at) => infer(at.fact(0).type === 'float' ? over : truncated)(at),
  backward: (at, dY) => [
    operand(at, 0, () => divide(at.b, dY, at.x(1))),
    operand(at, 1, () => negate(at.b, divide(at.b, multiply(at.b, dY, at.y(0)), at.x(1)))),
  ],
};

/**
 * y = xᵖ: dx = dY·p·xᵖ⁻¹, and 0 for p = 0, where the formula gives 0·∞ at x = 0. dp = dY·y·ln x, and 0 where x is 0; a
 * negative base has no derivative by a real exponent, and gives NaN as PyTorch does.
 */
export const power: Operator = {
  opType: 'Pow',
  infer: infer(numeric((x, p) => x ** p)),
  backward: (at, dY) => [
    operand(at, 0, () => {
      const { b } = at;
      const exponent =
        at.fact(1).type === 'float' ? at.x(1) : b.op('Cast', [at.x(1)], { to: attribute.int(1) })[0];
      const [lowered] = b.op('Pow', [at.x(0), subtract(b, exponent, scalar(b, 1))]);
      const slope = multiply(b, exponent, lowered);
      const [isZero] = b.op('Equal', [exponent, scalar(b, 0)]);
      return multiply(b, dY, where(b, isZero, scalar(b, 0), slope));
    }),
    operand(at, 1, () => {
      const { b } = at;
      const slope = multiply(b, at.y(0), b.op('Log', [at.x(0)])[0]);
      const [isZero] = b.op('Equal', [at.x(0), scalar(b, 0)]);
      return multiply(b, dY, where(b, isZero, scalar(b, 0), slope));
    }),
  ],
};

const addUp: Combine = (...terms) =>
  terms.reduce<Axis | undefined>((sum, term) => (sum === undefined ? sum : plus(sum, term)), 0);

/** y = a + b + …, with any number of operands. */
export const sum: Operator = {
  opType: 'Sum',
  infer: infer(addUp),
  backward: (at, dY) => at.node.inputs.map((_, i) => operand(at, i, () => dY)),
};

/** y = (a + b + …)/n of n operands. */
export const mean: Operator = {
  opType: 'Mean',
  infer: (at) => [elementwise(at, at.fact(0).type)],
  backward: (at, dY) => {
    const { length } = at.node.inputs;
    return at.node.inputs.map((_, i) => operand(at, i, () => scale(at.b, dY, 1 / length)));
  },
};

/**
 * The remainder with the sign of the dividend (`fmod`), y = a − b·trunc(a/b): da = dY, db = −dY·trunc(a/b). The other
 * form, with the sign of the divisor, is for integers only.
 */
export const modulo: Operator = {
  opType: 'Mod',
  infer: (at) => {
    const towardsZero = at.int('fmod', 0) !== 0;
    return infer(numeric((a, b) => (towardsZero ? a % b : a - b * Math.floor(a / b))))(at);
  },
  backward: (at, dY) => [
    operand(at, 0, () => dY),
    operand(at, 1, () => {
      const { b } = at;
      const ratio = divide(b, at.x(0), at.x(1));
      const magnitude = b.op('Floor', b.op('Abs', [ratio]))[0];
      return negate(b, multiply(b, dY, multiply(b, b.op('Sign', [ratio])[0], magnitude)));
    }),
  ],
};
