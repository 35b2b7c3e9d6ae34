import { down, up } from './arithmetic.js';

/** A nonlinear function of one number, and all that sound bounds of it need. */
export interface Activation {
  /** f(v), in float64, with a relative error of at most 2⁻⁴⁸. */
  value(v: number): number;
  /** Points where f is not differentiable. */
  readonly kinks: readonly number[];
  /**
   * All other points where f has the slope k, in float64: near one of them f(v) − k·v hardly changes. Left out for a
   * function that is linear between its kinks.
   */
  pointsOfSlope?(k: number): readonly number[];
  /**
   * Slopes of good linear bounds over [l, u]. Any slope gives sound bounds, so this may round as it likes.
   * @param l - finite, below u
   */
  slopes(l: number, u: number): { readonly lower: number; readonly upper: number };
  /** Whether f is linear over [l, u], so that nothing is gained by a smaller interval. */
  isLinear(l: number, u: number): boolean;
  /** At least |runtime's f(v) − f(v)| for all |v| ≤ magnitude; left out where the runtime makes no error. */
  runtimeError?(magnitude: number): number;
}

/** k·v + lower ≤ f(v) ≤ k·v + upper, whatever v of an interval. */
export interface Band {
  readonly lower: number;
  readonly upper: number;
}

/**
 * How far f lies above and below the line k·v over [l, u]: f(v) − k·v is least and largest at an end, at a kink or where f
 * has the slope k. With k = 0 these are bounds of f itself.
 *
 * @returns offsets that hold for the function as the runtime computes it
 */
export function bandAround(activation: Activation, k: number, l: number, u: number): Band {
  let lower = Number.POSITIVE_INFINITY;
  let upper = Number.NEGATIVE_INFINITY;
  const look = (v: number): void => {
    const value = activation.value(v);
    const line = k * v;
    const error = (Math.abs(value) + Math.abs(line)) * 2 ** -47 + Number.MIN_VALUE;
    lower = Math.min(lower, down(value - line) - error);
    upper = Math.max(upper, up(value - line) + error);
  };
  look(l);
  look(u);
  for (const v of activation.kinks) if (v > l && v < u) look(v);
  for (const v of activation.pointsOfSlope?.(k) ?? []) if (v > l && v < u) look(v);
  const error = activation.runtimeError?.(Math.max(Math.abs(l), Math.abs(u))) ?? 0;
  return { lower: down(lower - error), upper: up(upper + error) };
}
