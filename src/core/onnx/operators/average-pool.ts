import { floatTensor } from '../tensor.js';
import { fixed } from './axes.js';
import { divide, multiply, onesLike, scale, shapeOf } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import { spreadOverWindows, type Window, windowOf } from './window.js';

const geometry = (at: Application): Window =>
  windowOf(at, at.ints('kernel_shape') ?? at.refuse('expected a kernel_shape'));

/** Each element gets dY/count from every window it lies in. */
export const averagePool: Operator = {
  opType: 'AveragePool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    return [{ type, dims: [...dims.slice(0, 2), ...geometry(at).outputSizes] }];
  },
  backward: (at, dY) => [
    () => {
      const window = geometry(at);
      return spreadOverWindows(at, share(at, dY, window), window);
    },
  ],
};

/** What each element that a window covers gets of the window's gradient. */
function share(at: BackwardApplication, dY: string, window: Window): string {
  const { b } = at;
  const shape = [1, 1, ...window.outputSizes];
  const inside = (): string => b.constant(floatTensor(shape, elementsInside(window)), 'counts');
  if (!at.int('count_include_pad', 0)) return divide(b, dY, inside());
  if (!at.int('ceil_mode', 0)) return scale(b, dY, 1 / size(window.kernel));
  // Whether the overhang of the last window counts as padding differs between runtimes: of ones, the average is the
  // part of a window that is inside, as this runtime counts.
  const [portion] = b.op('AveragePool', [onesLike(b, at.x(0))], at.node.attributes);
  return multiply(b, dY, divide(b, portion, inside()));
}

const size = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1);

/** For each window, row-major, how many elements of the input it covers. */
function elementsInside(window: Window): readonly number[] {
  return window.outputSizes.reduce<readonly number[]>(
    (counts, outputSize, i) => {
      const along = Array.from({ length: outputSize }, (_, at) => {
        const start = at * window.strides[i]! - window.padsBegin[i]!;
        const taps = Array.from(
          { length: window.kernel[i]! },
          (_, tap) => start + tap * window.dilations[i]!,
        );
        return taps.filter((position) => position >= 0 && position < window.sizes[i]!).length;
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
