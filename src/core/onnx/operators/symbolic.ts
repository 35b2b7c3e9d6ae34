import type { Axis } from '../model.js';
import { product, quotient } from './axes.js';
import type { Combine } from './fold.js';

/** Arithmetic of lengths, as far as it can be done while some are symbols. A symbol stands for a length of at least 1. */

/** Computes with numbers where both are, else as the symbols allow. */
const mixed =
  (combine: (a: number, b: number) => number, symbolic: (a: Axis, b: Axis) => Axis | undefined): Combine =>
  (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? combine(a, b) : symbolic(a!, b!);

/** Symbols are only ever multiplied by positive whole numbers. */
const isLength = (value: Axis): boolean =>
  typeof value === 'string' || (Number.isInteger(value) && value > 0);

export const plus = mixed(
  (a, b) => a + b,
  (a, b) => (a === 0 ? b : b === 0 ? a : undefined),
);

export const minus = mixed(
  (a, b) => a - b,
  (a, b) => (b === 0 ? a : a === b ? 0 : undefined),
);

export const times = mixed(
  (a, b) => a * b,
  (a, b) => {
    if (a === 0 || b === 0) return 0;
    return isLength(a) && isLength(b) ? product([a, b]) : undefined;
  },
);

/** Division that leaves no remainder where symbols are involved. */
export const over = mixed(
  (a, b) => a / b,
  (a, b) => (isLength(a) && isLength(b) ? quotient([a], [b]) : undefined),
);

export const isEqual = mixed(
  (a, b) => Number(a === b),
  (a, b) => {
    if (a === b) return 1;
    const number = typeof a === 'number' ? a : b;
    // Two different symbols may still be equal; a symbol and a number below 1 are not.
    return typeof number === 'number' && number < 1 ? 0 : undefined;
  },
);
