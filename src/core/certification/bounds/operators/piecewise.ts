import type { Activation } from '../activation.js';
import { broadcastSources } from './broadcast.js';
import { type BoundedOperator, everywhere, type Use } from './operator.js';

/**
 * Bounds of a function that is flat below a kink and steep above it, or steeper: the chord above, and below whichever
 * side makes the smaller area (CROWN's adaptive choice).
 *
 * Source: Zhang et al., "Efficient neural network robustness certification with general activation functions" (CROWN),
 * NeurIPS 2018, section 3.3 and table 2.
 */
const hinge = (below: number): Activation => ({
  value: (v) => (v < 0 ? below * v : v),
  kinks: [0],
  slopes(l, u) {
    if (l >= 0) return { lower: 1, upper: 1 };
    if (u <= 0) return { lower: below, upper: below };
    const chord = (u - below * l) / (u - l);
    const steeper = u > -l ? 1 : below;
    // Beyond 1, a "leak" makes the function concave: chord and tangent change places.
    return below <= 1 ? { lower: steeper, upper: chord } : { lower: chord, upper: u > -l ? 1 : below };
  },
  isLinear: (l, u) => l >= 0 || u <= 0,
});

const elementwise = (opType: string, activationOf: (use: Use) => Activation): BoundedOperator => ({
  opType,
  bind: (use) => everywhere(activationOf(use)),
});

export const relu = elementwise('Relu', () => hinge(0));

/** The runtime rounds its product once. */
const leaky = (below: number): Activation => ({
  ...hinge(below),
  runtimeError: (magnitude) => Math.abs(below) * magnitude * 2 ** -23 + 2 ** -126,
});

export const leakyRelu = elementwise('LeakyRelu', (use) => leaky(use.float('alpha', 0.01)));

/** Slopes that were learned, constant now, one an element or as they broadcast. */
export const pRelu: BoundedOperator = {
  opType: 'PRelu',
  bind(use) {
    if (!use.isLive(0)) use.refuse('expected constant slopes');
    const slopes = use.constant(1);
    const activations = Array.from(slopes, leaky);
    const sources = broadcastSources(use.dims(1), use.dims(0));
    return [{ kind: 'elementwise', activationOf: (element) => activations[sources[element]!]! }];
  },
};

/** The nearest number between two limits. */
function clamp(low: number, high: number): Activation {
  const value = (v: number): number => Math.min(high, Math.max(low, v));
  return {
    value,
    kinks: [low, high],
    slopes(l, u) {
      const chord = (value(u) - value(l)) / (u - l);
      // A chord bounds one side only where there is one kink: with both inside, lines from the ends must pass the far one.
      const upper = u > high ? Math.max(chord, (high - value(l)) / (high - l)) : chord;
      const lower = l < low ? Math.max(chord, (value(u) - low) / (u - low)) : chord;
      const hasLow = l < low && low < u;
      const hasHigh = l < high && high < u;
      if (hasLow && !hasHigh) return { lower: u - low > low - l ? 1 : 0, upper: chord };
      if (hasHigh && !hasLow) return { lower: chord, upper: high - l > u - high ? 1 : 0 };
      return { lower: hasLow ? lower : chord, upper: hasHigh ? upper : chord };
    },
    isLinear: (l, u) => u <= low || l >= high || (l >= low && u <= high),
  };
}

export const clip = elementwise('Clip', (use) => {
  const limit = (i: number, fallback: number): number => (use.has(i) ? use.constant(i)[0]! : fallback);
  const [low, high] = [limit(1, Number.NEGATIVE_INFINITY), limit(2, Number.POSITIVE_INFINITY)];
  // The runtime takes the larger of x and the lower limit, then the smaller of that and the upper limit.
  return low <= high ? clamp(low, high) : use.refuse(`expected limits in order, got ${low} and ${high}`);
});
