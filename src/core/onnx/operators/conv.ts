import { fixed } from './axes.js';
import { reduceSum } from './emit.js';
import { filterGradient } from './filter-gradient.js';
import type { Application, Operator } from './operator.js';
import { transposedWindow, type Window, windowOf } from './window.js';

const geometry = (at: Application): Window => windowOf(at, fixed(at, at.fact(1).dims.slice(2)));

/**
 * Y = X ∗ W + b, X [N, C, …], W [M, C/groups, …]. dX is the transposed convolution; dW correlates X with dY; db sums over
 * all but the channels.
 */
export const conv: Operator = {
  opType: 'Conv',
  infer: (at) => {
    const x = at.fact(0);
    const [filters, channels] = fixed(at, at.fact(1).dims);
    const groups = at.int('group', 1);
    if (x.dims[1] !== channels! * groups || filters! % groups !== 0) {
      at.refuse(`weights of [${at.fact(1).dims}] in ${groups} groups do not fit an input of [${x.dims}]`);
    }
    return [{ type: x.type, dims: [x.dims[0]!, filters!, ...geometry(at).outputSizes] }];
  },
  backward: (at, dY) => {
    const window = geometry(at);
    const groups = at.int('group', 1);
    const [, channels] = fixed(at, at.fact(1).dims);
    return [
      () => at.b.op('ConvTranspose', [dY, at.x(1)], transposedWindow(window, groups))[0],
      () => filterGradient(at.b, { input: at.x(0), window, groups, channels: channels! }, dY),
      () => reduceSum(at.b, dY, [0, ...window.sizes.map((_, i) => i + 2)], false),
    ];
  },
};
