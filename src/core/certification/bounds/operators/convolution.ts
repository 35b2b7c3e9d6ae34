import { windowOf } from '../../../onnx/index.js';
import { type LinearMap, largest } from '../linear-map.js';
import type { BoundedOperator, Use } from './operator.js';
import { tapsOf } from './taps.js';

/** Y = X ∗ W + b, X [1, C, …], W [M, C/groups, …]. */
export const conv: BoundedOperator = {
  opType: 'Conv',
  bind(use) {
    if (!use.isLive(0) || use.isLive(1) || (use.has(2) && use.isLive(2))) {
      use.refuse('bounds are known for constant filters and biases only');
    }
    if (use.dims(0)[0] !== 1) use.refuse(`expected one sample at a time, got [${use.dims(0)}]`);
    const [filters, channels, ...kernel] = use.dims(1) as [number, number, ...number[]];
    const map = convolutionMap(use, use.constant(1), filters, channels, kernel);
    const area = map.outputs / filters;
    const bias = use.has(2) ? use.constant(2) : undefined;
    return [
      {
        kind: 'affine',
        terms: [{ input: 0, map }],
        ...(bias && {
          bias: Float64Array.from({ length: map.outputs }, (_, i) => bias[Math.floor(i / area)]!),
        }),
        roundings: map.fanIn + 2,
      },
    ];
  },
};

/**
 * The filters are kept once. For each place of a window, `taps` lists the positions that it covers inside the input, and
 * which tap of the filter lies on each.
 */
function convolutionMap(
  use: Use,
  weights: Float64Array,
  filters: number,
  channels: number,
  kernel: readonly number[],
): LinearMap {
  const { starts, positions, taps } = tapsOf(windowOf(use, kernel));
  const groups = use.int('group', 1);
  const perGroup = filters / groups;
  const volume = kernel.reduce((a, b) => a * b, 1);
  const area = starts.length - 1;
  const plane = use
    .dims(0)
    .slice(2)
    .reduce((a, b) => a * b, 1);
  const uses = new Int32Array(plane);
  for (const position of positions) uses[position]! += 1;
  return {
    inputs: channels * groups * plane,
    outputs: filters * area,
    fanIn: channels * volume,
    fanOut: perGroup * largest(uses),
    weights,
    magnitudes: weights.map(Math.abs),
    multiply(entries, x, y) {
      for (let filter = 0; filter < filters; filter++) {
        const firstChannel = Math.floor(filter / perGroup) * channels;
        for (let channel = 0; channel < channels; channel++) {
          const from = (firstChannel + channel) * plane;
          const weight = (filter * channels + channel) * volume;
          for (let place = 0; place < area; place++) {
            let sum = 0;
            for (let at = starts[place]!; at < starts[place + 1]!; at++) {
              sum += entries[weight + taps[at]!]! * x[from + positions[at]!]!;
            }
            y[filter * area + place]! += sum;
          }
        }
      }
    },
    multiplyTransposed(entries, a, x) {
      let work = 0;
      for (let filter = 0; filter < filters; filter++) {
        const firstChannel = Math.floor(filter / perGroup) * channels;
        for (let place = 0; place < area; place++) {
          const factor = a[filter * area + place]!;
          if (factor === 0) continue;
          const [first, last] = [starts[place]!, starts[place + 1]!];
          work += channels * (last - first);
          for (let channel = 0; channel < channels; channel++) {
            const to = (firstChannel + channel) * plane;
            const weight = (filter * channels + channel) * volume;
            for (let at = first; at < last; at++) {
              x[to + positions[at]!]! += factor * entries[weight + taps[at]!]!;
            }
          }
        }
      }
      return work;
    },
  };
}
