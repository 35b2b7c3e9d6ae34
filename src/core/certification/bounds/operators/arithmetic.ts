import { pickMap } from '../linear-map.js';
import { broadcastSources } from './broadcast.js';
import type { BoundedOperator, Rule, Use } from './operator.js';

/** Sums of live and constant inputs, each with a sign. */
const signedSum = (opType: string, signOf: (input: number) => number): BoundedOperator => ({
  opType,
  bind(use) {
    const result = use.resultDims(0);
    const size = result.reduce((a, b) => a * b, 1);
    const bias = new Float64Array(size);
    const biasMagnitude = new Float64Array(size);
    const terms = use.node.inputs.flatMap((_, input) => {
      const sources = broadcastSources(use.dims(input), result);
      const sign = signOf(input);
      if (use.isLive(input)) {
        const inputs = use.dims(input).reduce((a, b) => a * b, 1);
        return [{ input, map: pickMap(sources, inputs, () => sign) }];
      }
      const constant = use.constant(input);
      for (let i = 0; i < size; i++) {
        bias[i]! += sign * constant[sources[i]!]!;
        biasMagnitude[i]! += Math.abs(constant[sources[i]!]!);
      }
      return [];
    });
    // One rounding more than additions: sums of several constants are rounded here as well.
    return [{ kind: 'affine', terms, bias, biasMagnitude, roundings: use.node.inputs.length }];
  },
});

export const addition = signedSum('Add', () => 1);
export const sum = signedSum('Sum', () => 1);
export const subtraction = signedSum('Sub', (input) => (input === 0 ? 1 : -1));

/** One live input, and factors for it. */
function scaled(use: Use, live: number, factorOf: (constant: number) => number, roundings: number): Rule {
  if (!use.isLive(live) || use.isLive(1 - live)) {
    return use.refuse('bounds are known for products and quotients with a constant only');
  }
  const result = use.resultDims(0);
  const constant = use.constant(1 - live);
  const factors = broadcastSources(use.dims(1 - live), result).map((at) => at);
  const map = pickMap(
    broadcastSources(use.dims(live), result),
    use.dims(live).reduce((a, b) => a * b, 1),
    (i) => factorOf(constant[factors[i]!]!),
  );
  return { kind: 'affine', terms: [{ input: live, map }], roundings };
}

export const multiplication: BoundedOperator = {
  opType: 'Mul',
  bind: (use) => [scaled(use, use.isLive(0) ? 0 : 1, (factor) => factor, 1)],
};

export const division: BoundedOperator = {
  opType: 'Div',
  // The runtime may divide, or multiply by a reciprocal; the reciprocal is rounded here too.
  bind: (use) => [scaled(use, 0, (divisor) => 1 / divisor, 3)],
};

export const negation: BoundedOperator = {
  opType: 'Neg',
  bind(use) {
    const size = use.dims(0).reduce((a, b) => a * b, 1);
    const map = pickMap(
      Int32Array.from({ length: size }, (_, i) => i),
      size,
      () => -1,
    );
    return [{ kind: 'affine', terms: [{ input: 0, map }], roundings: 0 }];
  },
};
