import { pickMap } from '../linear-map.js';
import type { BoundedOperator } from './operator.js';

/**
 * y = (x − mean)/√(variance + ε)·scale + bias, channel by channel. The runtime computes it as it stands, or puts its factor
 * into the weights before it: in both ways a term meets the sum, the root, a quotient and two products.
 */
export const batchNormalization: BoundedOperator = {
  opType: 'BatchNormalization',
  bind(use) {
    if (!use.isLive(0)) use.refuse('expected constant statistics');
    const dims = use.dims(0);
    const size = dims.reduce((a, b) => a * b, 1);
    const area = dims.slice(2).reduce((a, b) => a * b, 1);
    const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => use.constant(i));
    const epsilon = use.float('epsilon', 1e-5);
    const factors = scale!.map((value, c) => value / Math.sqrt(variance![c]! + epsilon));
    const channel = (i: number): number => Math.floor(i / area) % factors.length;
    const map = pickMap(
      Int32Array.from({ length: size }, (_, i) => i),
      size,
      (i) => factors[channel(i)]!,
    );
    const each = (of: (c: number) => number): Float64Array =>
      Float64Array.from({ length: size }, (_, i) => of(channel(i)));
    return [
      {
        kind: 'affine',
        terms: [{ input: 0, map }],
        bias: each((c) => shift![c]! - factors[c]! * mean![c]!),
        biasMagnitude: each((c) => Math.abs(shift![c]!) + Math.abs(factors[c]! * mean![c]!)),
        roundings: 8,
      },
    ];
  },
};
