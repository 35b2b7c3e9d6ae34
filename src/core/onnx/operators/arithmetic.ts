import { attribute } from '../graph-builder.js';
import { broadcast } from './axes.js';
import { divide, multiply, negate, reduceTo, scalar, subtract, where } from './emit.js';
import type { Application, BackwardApplication, Fact, GradientRule, Operator } from './operator.js';

const infer = (at: Application): readonly Fact[] => [
  { type: at.fact(0).type, dims: broadcast(at, [at.fact(0).dims, at.fact(1).dims]) },
];

/** The gradient of an operand, summed over the axes along which it was broadcast. */
const operand =
  (at: BackwardApplication, i: number, gradient: GradientRule): GradientRule =>
  () =>
    reduceTo(at.b, gradient(), at.result(0).dims, at.fact(i).dims);

export const addition: Operator = {
  opType: 'Add',
  infer,
  backward: (at, dY) => [operand(at, 0, () => dY), operand(at, 1, () => dY)],
};

export const subtraction: Operator = {
  opType: 'Sub',
  infer,
  backward: (at, dY) => [operand(at, 0, () => dY), operand(at, 1, () => negate(at.b, dY))],
};

export const multiplication: Operator = {
  opType: 'Mul',
  infer,
  backward: (at, dY) => [
    operand(at, 0, () => multiply(at.b, dY, at.x(1))),
    operand(at, 1, () => multiply(at.b, dY, at.x(0))),
  ],
};

/** y = a/b: da = dY/b, db = −dY·y/b. */
export const division: Operator = {
  opType: 'Div',
  infer,
  backward: (at, dY) => [
    operand(at, 0, () => divide(at.b, dY, at.x(1))),
    operand(at, 1, () => negate(at.b, divide(at.b, multiply(at.b, dY, at.y(0)), at.x(1)))),
  ],
};

/** y = xᵖ: dx = dY·p·xᵖ⁻¹, and 0 for p = 0, where the formula gives 0·∞ at x = 0. The exponent is held fixed. */
export const power: Operator = {
  opType: 'Pow',
  infer,
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
    undefined,
  ],
};

/** y = a + b + …, with any number of operands. */
export const sum: Operator = {
  opType: 'Sum',
  infer: (at) => [
    {
      type: at.fact(0).type,
      dims: broadcast(
        at,
        at.node.inputs.map((_, i) => at.fact(i).dims),
      ),
    },
  ],
  backward: (at, dY) => at.node.inputs.map((_, i) => operand(at, i, () => dY)),
};
