import type { Activation } from '../activation.js';
import { type BoundedOperator, everywhere } from './operator.js';

/** A function that is convex below 0 and concave above, such as a sigmoid. */
interface SShape {
  readonly value: (v: number) => number;
  readonly slope: (v: number) => number;
  readonly pointsOfSlope: (k: number) => readonly number[];
}

/**
 * The runtime evaluates both functions by rational approximations: held against float64 on every 257th float32 number, ONNX
 * Runtime 1.30 is off by at most 2⁻²¹·⁸ (tanh, near 8.24), and this is seven times as much.
 */
const runtimeError = (): number => 2 ** -19;

/**
 * Slopes as in CROWN (Zhang et al., NeurIPS 2018, table 2): chord and tangent where the function is convex or concave;
 * where it is both, the line from one end that touches the curve on the other side.
 */
function activation({ value, slope, pointsOfSlope }: SShape): Activation {
  const chord = (l: number, u: number): number => (value(u) - value(l)) / (u - l);
  /** Slope of the line through `end` that touches the curve beyond 0, or of the chord where that lies outside. */
  const touching = (end: number, other: number): number => {
    if (Math.abs(slope(other)) >= chord(Math.min(end, other), Math.max(end, other)))
      return chord(Math.min(end, other), Math.max(end, other));
    let [near, far] = [0, other];
    for (let i = 0; i < 40; i++) {
      const middle = (near + far) / 2;
      if (slope(middle) > (value(middle) - value(end)) / (middle - end)) near = middle;
      else far = middle;
    }
    return slope((near + far) / 2);
  };
  return {
    value,
    kinks: [],
    pointsOfSlope,
    runtimeError,
    slopes(l, u) {
      const middle = slope((l + u) / 2);
      if (l >= 0) return { lower: chord(l, u), upper: middle };
      if (u <= 0) return { lower: middle, upper: chord(l, u) };
      return { lower: touching(u, l), upper: touching(l, u) };
    },
    isLinear: () => false,
  };
}

const sigmoidOf = (v: number): number => 1 / (1 + Math.exp(-v));

const sigmoidShape: SShape = {
  value: sigmoidOf,
  slope: (v) => sigmoidOf(v) * sigmoidOf(-v),
  // s·(1 − s) = k, solved for the smaller s without cancellation; v = log s − log(1 − s).
  pointsOfSlope(k) {
    if (!(k > 0 && k <= 0.25)) return [];
    const s = (2 * k) / (1 + Math.sqrt(1 - 4 * k));
    const v = Math.log(s) - Math.log1p(-s);
    return [v, -v];
  },
};

const tanhShape: SShape = {
  value: Math.tanh,
  slope: (v) => 1 / Math.cosh(v) ** 2,
  // 1 − t² = k; v = artanh t = log(1 + t) − log(k)/2.
  pointsOfSlope(k) {
    if (!(k > 0 && k <= 1)) return [];
    const v = Math.log1p(Math.sqrt(1 - k)) - Math.log(k) / 2;
    return [v, -v];
  },
};

export const sigmoid: BoundedOperator = {
  opType: 'Sigmoid',
  bind: () => everywhere(activation(sigmoidShape)),
};

export const tanh: BoundedOperator = {
  opType: 'Tanh',
  bind: () => everywhere(activation(tanhShape)),
};
