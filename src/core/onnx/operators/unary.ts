import { divide, multiply, negate, scalar, scale, subtract, where } from './emit.js';
import type { Application, BackwardApplication, Fact, Operator } from './operator.js';

/** Elementwise functions of one input: the type and shape stay. */
const unary = (opType: string, derive: (at: BackwardApplication, dY: string) => string): Operator => ({
  opType,
  infer: (at: Application): readonly Fact[] => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => [() => derive(at, dY)],
});

/** `yes` where x > 0. At the kink the left derivative is taken, as PyTorch does. */
const wherePositive = (at: BackwardApplication, yes: string, no: string): string =>
  where(at.b, at.b.op('Greater', [at.x(0), scalar(at.b, 0)])[0], yes, no);

export const negation = unary('Neg', ({ b }, dY) => negate(b, dY));

export const exponential = unary('Exp', (at, dY) => multiply(at.b, dY, at.y(0)));

export const logarithm = unary('Log', (at, dY) => divide(at.b, dY, at.x(0)));

/** y = √x: dx = dY/2y. */
export const squareRoot = unary('Sqrt', (at, dY) => divide(at.b, scale(at.b, dY, 0.5), at.y(0)));

export const relu = unary('Relu', (at, dY) => wherePositive(at, dY, scalar(at.b, 0)));

export const leakyRelu = unary('LeakyRelu', (at, dY) =>
  wherePositive(at, dY, scale(at.b, dY, at.float('alpha', 0.01))),
);

/** dx = dY·y·(1 − y). */
export const sigmoid = unary('Sigmoid', (at, dY) => {
  const { b } = at;
  return multiply(b, dY, multiply(b, at.y(0), subtract(b, scalar(b, 1), at.y(0))));
});

/** dx = dY·(1 − y²). */
export const tanh = unary('Tanh', (at, dY) => {
  const { b } = at;
  return multiply(b, dY, subtract(b, scalar(b, 1), multiply(b, at.y(0), at.y(0))));
});
