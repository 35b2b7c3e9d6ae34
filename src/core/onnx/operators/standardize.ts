import type { GraphBuilder } from '../graph-builder.js';
import { add, multiply, reciprocal, reduceMean, scalar, squared, subtract } from './emit.js';

/** Values of mean 0 and variance 1 over some axes, and the way back through them. */
export interface Standardized {
  /** x̂ = (x − mean)/√(variance + ε) */
  readonly values: string;
  /** dx = (dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂))/√(variance + ε) */
  backward(gradient: string): string;
}

/** What layer, instance and group normalisation have in common. @param epsilon - added to the variance */
export function standardize(
  b: GraphBuilder,
  x: string,
  axes: readonly number[],
  epsilon: number,
): Standardized {
  const centred = subtract(b, x, reduceMean(b, x, axes));
  const variance = reduceMean(b, squared(b, centred), axes);
  const inverse = reciprocal(b, b.op('Sqrt', [add(b, variance, scalar(b, epsilon))])[0]);
  const values = multiply(b, centred, inverse);
  return {
    values,
    backward: (gradient) => {
      const along = multiply(b, values, reduceMean(b, multiply(b, gradient, values), axes));
      const rest = subtract(b, subtract(b, gradient, reduceMean(b, gradient, axes)), along);
      return multiply(b, rest, inverse);
    },
  };
}
