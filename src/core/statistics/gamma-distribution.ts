import { logGamma } from './beta-distribution.js';

/**
 * P(X ≤ x) for X of a gamma distribution with shape a and scale 1: the regularised lower incomplete gamma function, by its
 * series below the mean and by its continued fraction above (NIST Digital Library of Mathematical Functions, 8.11.4 and 8.9.2).
 *
 * @param a - above 0
 */
export function gammaProbability(x: number, a: number): number {
  if (x <= 0) return 0;
  return x < a + 1 ? lowerSeries(x, a) : 1 - upperFraction(x, a);
}

/** 1 − {@link gammaProbability}, exact where it is small. */
export function gammaTail(x: number, a: number): number {
  if (x <= 0) return 1;
  return x < a + 1 ? 1 - lowerSeries(x, a) : upperFraction(x, a);
}

const MAXIMUM_TERMS = 100_000;

function front(x: number, a: number): number {
  return Math.exp(a * Math.log(x) - x - logGamma(a));
}

function lowerSeries(x: number, a: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAXIMUM_TERMS && term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * front(x, a);
}

/** Modified Lentz algorithm (Press et al., "Numerical Recipes", 3rd edition, section 5.2). */
function upperFraction(x: number, a: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < MAXIMUM_TERMS; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b || tiny);
    c = b + numerator / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value * front(x, a);
}
