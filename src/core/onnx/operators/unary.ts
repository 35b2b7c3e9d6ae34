import { unary } from './elementwise.js';
import { add, divide, multiply, negate, reciprocal, scalar, scale, squared, subtract } from './emit.js';
import { numeric } from './fold.js';
import type { BackwardApplication } from './operator.js';

export const negation = unary(
  'Neg',
  ({ b }, dY) => negate(b, dY),
  numeric((x) => -x!),
);

/** dx = dY·sign(x): 0 at 0, as in PyTorch. */
export const absolute = unary(
  'Abs',
  (at, dY) => multiply(at.b, dY, at.b.op('Sign', [at.x(0)])[0]),
  numeric(Math.abs),
);

export const exponential = unary('Exp', (at, dY) => multiply(at.b, dY, at.y(0)));

export const logarithm = unary('Log', (at, dY) => divide(at.b, dY, at.x(0)));

/** y = √x: dx = dY/2y. */
export const squareRoot = unary(
  'Sqrt',
  (at, dY) => divide(at.b, scale(at.b, dY, 0.5), at.y(0)),
  numeric(Math.sqrt),
);

/** y = 1/x: dx = −dY·y². */
export const inverse = unary('Reciprocal', (at, dY) =>
  negate(at.b, multiply(at.b, dY, squared(at.b, at.y(0)))),
);

/** dx = dY·2/√π·exp(−x²). */
export const errorFunction = unary('Erf', (at, dY) => {
  const { b } = at;
  const [bell] = b.op('Exp', [negate(b, squared(b, at.x(0)))]);
  return multiply(b, dY, scale(b, bell, 2 / Math.sqrt(Math.PI)));
});

const times =
  (slope: (at: BackwardApplication) => string) =>
  (at: BackwardApplication, dY: string): string =>
    multiply(at.b, dY, slope(at));

/** 1/√v for v = c + s·x². */
const inverseRoot = ({ b, x }: BackwardApplication, c: number, s: number): string => {
  const square = add(b, scalar(b, c), scale(b, squared(b, x(0)), s));
  return reciprocal(b, b.op('Sqrt', [square])[0]);
};

export const sine = unary(
  'Sin',
  times(({ b, x }) => b.op('Cos', [x(0)])[0]),
);
export const cosine = unary(
  'Cos',
  times(({ b, x }) => negate(b, b.op('Sin', [x(0)])[0])),
);
/** dx = dY·(1 + y²). */
export const tangent = unary(
  'Tan',
  times(({ b, y }) => add(b, scalar(b, 1), squared(b, y(0)))),
);
export const arcSine = unary(
  'Asin',
  times((at) => inverseRoot(at, 1, -1)),
);
export const arcCosine = unary(
  'Acos',
  times((at) => negate(at.b, inverseRoot(at, 1, -1))),
);
/** dx = dY/(1 + x²). */
export const arcTangent = unary(
  'Atan',
  times(({ b, x }) => reciprocal(b, add(b, scalar(b, 1), squared(b, x(0))))),
);
export const hyperbolicSine = unary(
  'Sinh',
  times(({ b, x }) => b.op('Cosh', [x(0)])[0]),
);
export const hyperbolicCosine = unary(
  'Cosh',
  times(({ b, x }) => b.op('Sinh', [x(0)])[0]),
);
export const areaSine = unary(
  'Asinh',
  times((at) => inverseRoot(at, 1, 1)),
);
export const areaCosine = unary(
  'Acosh',
  times((at) => inverseRoot(at, -1, 1)),
);
/** dx = dY/(1 − x²). */
export const areaTangent = unary(
  'Atanh',
  times(({ b, x }) => reciprocal(b, subtract(b, scalar(b, 1), squared(b, x(0))))),
);
