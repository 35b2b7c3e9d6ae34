import { attribute, type GraphBuilder } from '../graph-builder.js';
import { floatTensor } from '../tensor.js';
import { add, divide, multiply, reshapeLike, scalar, scale, squared, subtract, vector } from './emit.js';
import type { Operator } from './operator.js';

/** Sums over `size` channels of [N, C, …] around each: a convolution with ones along them. */
function sumOverChannels(b: GraphBuilder, x: string, size: number): string {
  const margin = (size - 1) / 2;
  const ones = b.constant(floatTensor([1, 1, size, 1], new Float32Array(size).fill(1)), 'ones');
  const [shape] = b.op('Concat', [vector(b, [0, 1]), channelsOf(b, x), vector(b, [-1])], {
    axis: attribute.int(0),
  });
  const [flat] = b.op('Reshape', [x, shape]);
  const [sums] = b.op('Conv', [flat, ones], { pads: attribute.ints([margin, 0, margin, 0]) });
  return reshapeLike(b, sums, x);
}

const channelsOf = (b: GraphBuilder, x: string): string =>
  b.op('Slice', [b.op('Shape', [x])[0], vector(b, [1]), vector(b, [2])])[0];

/**
 * Local response normalisation, y = x·s^−β with s = bias + α/n·Σx² over n channels around each:
 * dx = dY·s^−β − 2αβ/n·x·Σ(dY·y/s), summed over the channels that have this one around them.
 */
export const lrn: Operator = {
  opType: 'LRN',
  infer: (at) => {
    const size = at.int('size', 1);
    if (size % 2 !== 1) at.refuse(`expected an odd number of channels, got ${size}`);
    return [{ type: at.fact(0).type, dims: at.fact(0).dims }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const x = at.x(0);
      const size = at.int('size', 1);
      const [alpha, beta] = [at.float('alpha', 1e-4), at.float('beta', 0.75)];
      const squares = sumOverChannels(b, squared(b, x), size);
      const s = add(b, scalar(b, at.float('bias', 1)), scale(b, squares, alpha / size));
      const [power] = b.op('Pow', [s, scalar(b, -beta)]);
      const shares = divide(b, multiply(b, dY, at.y(0)), s);
      const others = multiply(b, x, sumOverChannels(b, shares, size));
      return subtract(b, multiply(b, dY, power), scale(b, others, (2 * alpha * beta) / size));
    },
  ],
};
