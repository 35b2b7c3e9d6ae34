import type { Ball } from '../../../../src/core/certification/bounds/ball.js';
import type { RandomStream } from '../../../../src/core/random/index.js';

/** Float32 points of a ball inside the valid range, as an adversary may send: corners and ends, and others at random. */
export function pointsOf(ball: Ball, stream: RandomStream, n: number): readonly Float32Array[] {
  return Array.from({ length: n }, (_, i) => {
    if (i === 0) return ball.centre;
    if (ball.norm === 'linf') return inBox(ball, stream, i);
    return ball.norm === 'l2' ? inL2(ball, stream) : inL1(ball, stream);
  });
}

const inwards = (value: number, centre: number): number => {
  const rounded = Math.fround(value);
  return Math.abs(rounded - centre) <= Math.abs(value - centre)
    ? rounded
    : Math.fround(value + (centre - value) * 2 ** -20);
};

function inBox({ lower, upper, centre }: Ball, stream: RandomStream, i: number): Float32Array {
  return Float32Array.from(centre, (middle, j) => {
    const share = i % 3 === 0 ? stream.uniform() : Math.round(stream.uniform());
    return inwards(lower[j]! + (upper[j]! - lower[j]!) * share, middle);
  });
}

function inL2({ epsilon, centre }: Ball, stream: RandomStream): Float32Array {
  const direction = Array.from(centre, () => stream.normal());
  const length = Math.hypot(...direction);
  return clamped(centre, (j) => (0.999999 * epsilon * direction[j]!) / length);
}

function inL1({ epsilon, centre }: Ball, stream: RandomStream): Float32Array {
  const chosen = Math.floor(stream.uniform() * centre.length);
  const sign = stream.uniform() < 0.5 ? 1 : -1;
  return clamped(centre, (j) => (j === chosen ? 0.999999 * epsilon * sign : 0));
}

function clamped(centre: Float32Array, move: (j: number) => number): Float32Array {
  return Float32Array.from(centre, (value, j) => Math.min(1, Math.max(0, inwards(value + move(j), value))));
}
