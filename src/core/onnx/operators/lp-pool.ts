import type { GraphBuilder } from '../graph-builder.js';
import { divide, multiply, scalar, shapeOf, where } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import { spreadOverWindows, type Window, windowOf } from './window.js';

const geometry = (at: Application): Window =>
  windowOf(at, at.ints('kernel_shape') ?? at.refuse('expected a kernel_shape'));

/** v raised to a whole number of at least 0, of which 0 and 1 cost nothing. */
const raised = (b: GraphBuilder, v: string, exponent: number): string => {
  if (exponent === 0) return scalar(b, 1);
  return exponent === 1 ? v : b.op('Pow', [v, scalar(b, exponent)])[0];
};

/** y = (Σ|x|ᵖ)^(1/p): dx = sign(x)·|x|ᵖ⁻¹·(dY/yᵖ⁻¹), and 0 where y is 0. */
function derivative(at: BackwardApplication, dY: string, spread: (share: string) => string): string {
  const { b } = at;
  const p = at.int('p', 2);
  if (p < 1) at.refuse(`expected p of at least 1, got ${p}`);
  const [isZero] = b.op('Equal', [at.y(0), scalar(b, 0)]);
  const share = divide(b, dY, raised(b, where(b, isZero, scalar(b, 1), at.y(0)), p - 1));
  const magnitude = raised(b, b.op('Abs', [at.x(0)])[0], p - 1);
  return multiply(b, multiply(b, b.op('Sign', [at.x(0)])[0], magnitude), spread(share));
}

export const lpPool: Operator = {
  opType: 'LpPool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    return [{ type, dims: [...dims.slice(0, 2), ...geometry(at).outputSizes] }];
  },
  backward: (at, dY) => [() => derivative(at, dY, (share) => spreadOverWindows(at, share, geometry(at)))],
};

export const globalLpPool: Operator = {
  opType: 'GlobalLpPool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    return [{ type, dims: dims.map((axis, i) => (i < 2 ? axis : 1)) }];
  },
  backward: (at, dY) => [
    () => derivative(at, dY, (share) => at.b.op('Expand', [share, shapeOf(at.b, at.x(0))])[0]),
  ],
};
