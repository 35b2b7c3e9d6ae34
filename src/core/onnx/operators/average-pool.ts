import { floatTensor } from '../tensor.js';
import { fixed } from './axes.js';
import { divide, scale, shapeOf } from './emit.js';
import type { Application, Operator } from './operator.js';
import { transposedWindow, type Window, windowOf } from './window.js';

const geometry = (at: Application): Window => {
  const window = windowOf(at, at.ints('kernel_shape') ?? at.refuse('expected a kernel_shape'));
  if (window.dilations.some((each) => each !== 1)) at.refuse('dilations are not supported');
  if (at.int('ceil_mode', 0) && at.int('count_include_pad', 0)) {
    // Whether the overhang of the last window counts as padding differs between runtimes.
    at.refuse('ceil_mode together with count_include_pad is not supported');
  }
  return window;
};

/** Each element gets dY/count from every window it lies in: a transposed convolution with ones. */
export const averagePool: Operator = {
  opType: 'AveragePool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    return [{ type, dims: [...dims.slice(0, 2), ...geometry(at).outputSizes] }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const window = geometry(at);
      const [channels] = fixed(at, at.fact(0).dims.slice(1, 2));
      const counts = floatTensor(
        [1, 1, ...window.outputSizes],
        at.int('count_include_pad', 0)
          ? new Float32Array(size(window.outputSizes)).fill(size(window.kernel))
          : elementsInside(window),
      );
      const ones = new Float32Array(channels! * size(window.kernel)).fill(1);
      const kernel = b.constant(floatTensor([channels!, 1, ...window.kernel], ones), 'ones');
      const share = divide(b, dY, b.constant(counts, 'counts'));
      return b.op('ConvTranspose', [share, kernel], transposedWindow(window, channels!))[0];
    },
  ],
};

const size = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1);

/** For each window, row-major, how many elements of the input it covers. */
function elementsInside(window: Window): readonly number[] {
  return window.outputSizes.reduce<readonly number[]>(
    (counts, outputSize, i) => {
      const along = Array.from({ length: outputSize }, (_, at) => {
        const start = at * window.strides[i]! - window.padsBegin[i]!;
        return Math.min(start + window.kernel[i]!, window.sizes[i]!) - Math.max(start, 0);
      });
      return counts.flatMap((count) => along.map((each) => count * each));
    },
    [1],
  );
}

export const globalAveragePool: Operator = {
  opType: 'GlobalAveragePool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    return [{ type, dims: dims.map((axis, i) => (i < 2 ? axis : 1)) }];
  },
  backward: (at, dY) => [
    () => {
      const share = scale(at.b, dY, 1 / size(fixed(at, at.fact(0).dims.slice(2))));
      return at.b.op('Expand', [share, shapeOf(at.b, at.x(0))])[0];
    },
  ],
};
