import { attribute } from '../graph-builder.js';
import { floatTensor, int64Tensor } from '../tensor.js';
import { fixed } from './axes.js';
import { floatOf, multiply, reshapeLike, vector } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import { scatterAddSince } from './scatter.js';
import { transposedWindow, type Window, windowOf } from './window.js';

const geometry = (at: Application): Window =>
  windowOf(at, at.ints('kernel_shape') ?? at.refuse('expected a kernel_shape'));

/**
 * The gradient of a window goes to the element that MaxPool's own `Indices` name (flat over N·C·H·W). Comparing x with
 * its maximum instead would give it to every tied element.
 */
export const maxPool: Operator = {
  opType: 'MaxPool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const result = { type, dims: [...dims.slice(0, 2), ...geometry(at).outputSizes] };
    return [result, { type: 'int64', dims: result.dims }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const window = geometry(at);
      const overlap = window.kernel.some(
        (length, i) => window.dilations[i]! * (length - 1) + 1 > window.strides[i]!,
      );
      const rowMajor = { ...at.node.attributes, storage_order: attribute.int(0) };
      const [, indices] = b.op('MaxPool', [at.x(0)], rowMajor, 2);
      if (overlap && at.opset < scatterAddSince) return byTaps(at, dY, indices, window);
      const flat = (value: string): string => b.op('Reshape', [value, vector(b, [-1])])[0];
      const [length] = b.op('Size', [at.x(0)]);
      const [zeros] = b.op('ConstantOfShape', [b.op('Reshape', [length, vector(b, [1])])[0]]);
      const [scattered] = b.op('ScatterElements', [zeros, flat(indices), flat(dY)], {
        axis: attribute.int(0),
        ...(overlap && { reduction: attribute.string('add') }),
      });
      return reshapeLike(b, scattered, at.x(0));
    },
  ],
};

/**
 * Where windows share elements and scattering cannot add yet: one channel for each of the K taps of a window, which holds
 * the window's gradient if that tap won and 0 if not, and a transposed convolution that puts each tap in its place.
 */
function byTaps(at: BackwardApplication, dY: string, indices: string, window: Window): string {
  const { b } = at;
  const taps = product(window.kernel);
  const plane = (value: string): string =>
    b.op('Reshape', [value, vector(b, [-1, 1, ...window.outputSizes])])[0];
  // Within its own plane, so that the same positions serve every sample and channel.
  const [winners] = b.op('Mod', [indices, vector(b, [product(window.sizes)])]);
  const positions = int64Tensor([1, taps, ...window.outputSizes], positionsOfTaps(window));
  const [won] = b.op('Equal', [plane(winners), b.constant(positions, 'positions')]);
  const each = new Float32Array(taps * taps);
  for (let tap = 0; tap < taps; tap++) each[tap * taps + tap] = 1;
  const kernel = b.constant(floatTensor([taps, 1, ...window.kernel], each), 'taps');
  const [placed] = b.op(
    'ConvTranspose',
    [multiply(b, floatOf(b, won), plane(dY)), kernel],
    transposedWindow(window, 1),
  );
  return reshapeLike(b, placed, at.x(0));
}

/** For each tap and window, row-major, the flat position in the input's plane that the tap lies on; −1 in the padding. */
function positionsOfTaps(window: Window): readonly number[] {
  let byTap: readonly (readonly number[])[] = [[0]];
  for (const [i, length] of window.kernel.entries()) {
    byTap = byTap.flatMap((positions) =>
      Array.from({ length }, (_, tap) =>
        positions.flatMap((position) =>
          Array.from({ length: window.outputSizes[i]! }, (_, at) => {
            const along = at * window.strides[i]! - window.padsBegin[i]! + tap * window.dilations[i]!;
            const inside = position >= 0 && along >= 0 && along < window.sizes[i]!;
            return inside ? position * window.sizes[i]! + along : -1;
          }),
        ),
      ),
    );
  }
  return byTap.flat();
}

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1);

/** The gradient of a channel goes to its first maximum, as PyTorch's adaptive pooling has it. */
export const globalMaxPool: Operator = {
  opType: 'GlobalMaxPool',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    return [{ type, dims: dims.map((axis, i) => (i < 2 ? axis : 1)) }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const length = product(fixed(at, at.fact(0).dims.slice(2)));
      const flat = (value: string, last: number): string =>
        b.op('Reshape', [value, vector(b, [0, 0, last])])[0];
      const [first] = b.op('ArgMax', [flat(at.x(0), length)], { axis: attribute.int(2) });
      const numbers = vector(
        b,
        Array.from({ length }, (_, i) => i),
      );
      const wins = floatOf(b, b.op('Equal', [first, numbers])[0]);
      return reshapeLike(b, multiply(b, wins, flat(dY, 1)), at.x(0));
    },
  ],
};
