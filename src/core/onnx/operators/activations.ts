import { unary } from './elementwise.js';
import { add, divide, floatOf, multiply, scalar, scale, squared, subtract, where } from './emit.js';
import type { BackwardApplication } from './operator.js';

/** `yes` where x > limit. At a kink the left derivative is taken, as PyTorch does. */
const whereAbove = (at: BackwardApplication, limit: number, yes: string, no: string): string =>
  where(at.b, at.b.op('Greater', [at.x(0), scalar(at.b, limit)])[0], yes, no);

const wherePositive = (at: BackwardApplication, yes: string, no: string): string =>
  whereAbove(at, 0, yes, no);

/** A product with a mask: `Where` makes three passes. Of the output, so that the input need not be kept. */
export const relu = unary('Relu', (at, dY) => {
  const [passes] = at.b.op('Greater', [at.y(0), scalar(at.b, 0)]);
  return multiply(at.b, dY, floatOf(at.b, passes));
});

export const leakyRelu = unary('LeakyRelu', (at, dY) =>
  wherePositive(at, dY, scale(at.b, dY, at.float('alpha', 0.01))),
);

/** y = x where x > α, else 0. */
export const thresholdedRelu = unary('ThresholdedRelu', (at, dY) =>
  whereAbove(at, at.float('alpha', 1), dY, scalar(at.b, 0)),
);

/** dY·factor·exp(rate·x): the slope of exponential tails. */
const tail = (at: BackwardApplication, dY: string, factor: number, rate: number): string => {
  const { b } = at;
  return multiply(b, scale(b, dY, factor), b.op('Exp', [scale(b, at.x(0), rate)])[0]);
};

/** y = α·(exp(x) − 1) where x ≤ 0. */
export const elu = unary('Elu', (at, dY) => wherePositive(at, dY, tail(at, dY, at.float('alpha', 1), 1)));

/** y = α·(exp(x/α) − 1) where x ≤ 0. */
export const celu = unary('Celu', (at, dY) =>
  wherePositive(at, dY, tail(at, dY, 1, 1 / at.float('alpha', 1))),
);

/** y = γ·(x where x > 0, else α·(exp(x) − 1)). */
export const selu = unary('Selu', (at, dY) => {
  const alpha = at.float('alpha', 1.6732631921768188);
  const gamma = at.float('gamma', 1.0507010221481323);
  return wherePositive(at, scale(at.b, dY, gamma), tail(at, dY, gamma * alpha, 1));
});

/** dx = dY·y·(1 − y). */
export const sigmoid = unary('Sigmoid', (at, dY) => {
  const { b } = at;
  return multiply(b, dY, multiply(b, at.y(0), subtract(b, scalar(b, 1), at.y(0))));
});

/** dx = dY·(1 − y²). */
export const tanh = unary('Tanh', (at, dY) => {
  const { b } = at;
  return multiply(b, dY, subtract(b, scalar(b, 1), squared(b, at.y(0))));
});

/** y = ln(1 + exp(x)): dx = dY·σ(x). */
export const softplus = unary('Softplus', (at, dY) => multiply(at.b, dY, at.b.op('Sigmoid', [at.x(0)])[0]));

/** y = x/(1 + |x|): dx = dY/(1 + |x|)². */
export const softsign = unary('Softsign', (at, dY) => {
  const { b } = at;
  return divide(b, dY, squared(b, add(b, scalar(b, 1), b.op('Abs', [at.x(0)])[0])));
});

/** y = min(1, max(0, α·x + β)): α where 0 < y < 1, as in PyTorch. */
export const hardSigmoid = unary('HardSigmoid', (at, dY) => {
  const { b } = at;
  const [below] = b.op('Less', [at.y(0), scalar(b, 1)]);
  const [above] = b.op('Greater', [at.y(0), scalar(b, 0)]);
  return where(b, b.op('And', [below, above])[0], scale(b, dY, at.float('alpha', 0.2)), scalar(b, 0));
});

/** y = x·min(1, max(0, x/6 + ½)): the slope is 0 up to −3, 1 from 3 on, x/3 + ½ between. */
export const hardSwish = unary('HardSwish', (at, dY) => {
  const { b } = at;
  const between = multiply(b, dY, add(b, scale(b, at.x(0), 1 / 3), scalar(b, 0.5)));
  const [flat] = b.op('Less', [at.x(0), scalar(b, -3)]);
  return where(b, flat, scalar(b, 0), whereAbove(at, 3, dY, between));
});

/** y = x·t, t = tanh(ln(1 + exp(x))): dx = dY·(t + x·(1 − t²)·σ(x)). */
export const mish = unary('Mish', (at, dY) => {
  const { b } = at;
  const [t] = b.op('Tanh', b.op('Softplus', [at.x(0)]));
  const [rise] = b.op('Sigmoid', [at.x(0)]);
  const bend = multiply(b, multiply(b, at.x(0), rise), subtract(b, scalar(b, 1), squared(b, t)));
  return multiply(b, dY, add(b, t, bend));
});

/**
 * y = x·Φ(x), exactly or with Φ(x) ≈ ½·(1 + tanh(√(2/π)·(x + 0.044715·x³))): dx = dY·(Φ(x) + x·Φ′(x)).
 */
export const gelu = unary('Gelu', (at, dY) => {
  const { b } = at;
  const x = at.x(0);
  const one = scalar(b, 1);
  const share = (odd: string): string => scale(b, add(b, one, odd), 0.5);
  const rest = (density: string): string => multiply(b, x, density);
  const square = squared(b, x);
  const approximation = at.string('approximate', 'none');
  if (approximation === 'none') {
    const [odd] = b.op('Erf', [scale(b, x, Math.SQRT1_2)]);
    const [bell] = b.op('Exp', [scale(b, square, -0.5)]);
    return multiply(b, dY, add(b, share(odd), rest(scale(b, bell, 1 / Math.sqrt(2 * Math.PI)))));
  }
  if (approximation !== 'tanh') at.refuse(`approximation ${approximation} is not known`);
  const slope = Math.sqrt(2 / Math.PI);
  const inner = multiply(b, x, add(b, scalar(b, slope), scale(b, square, slope * 0.044715)));
  const [odd] = b.op('Tanh', [inner]);
  const innerSlope = add(b, scalar(b, slope), scale(b, square, slope * 3 * 0.044715));
  const density = scale(b, multiply(b, subtract(b, one, squared(b, odd)), innerSlope), 0.5);
  return multiply(b, dY, add(b, share(odd), rest(density)));
});

/** y = x + bias below −λ, x − bias above λ, 0 between. */
export const shrink = unary('Shrink', (at, dY) => {
  const { b } = at;
  const [isOutside] = b.op('Greater', [b.op('Abs', [at.x(0)])[0], scalar(b, at.float('lambd', 0.5))]);
  return where(b, isOutside, dY, scalar(b, 0));
});
