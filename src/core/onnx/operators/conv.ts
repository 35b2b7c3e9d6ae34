import { attribute } from '../graph-builder.js';
import { fixed } from './axes.js';
import { reduceSum, slice, transpose } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import { transposedWindow, type Window, windowOf } from './window.js';

const geometry = (at: Application): Window => windowOf(at, fixed(at, at.fact(1).dims.slice(2)));

/**
 * Y = X ∗ W + b, X [N, C, …], W [M, C/groups, …]. dX is the transposed convolution; dW correlates X with dY, with
 * batch and channels exchanged and strides and dilations exchanged; db sums over all but the channels.
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
    return [
      () => at.b.op('ConvTranspose', [dY, at.x(1)], transposedWindow(window, at.int('group', 1)))[0],
      () => weightGradient(at, dY, window),
      () => reduceSum(at.b, dY, [0, ...window.sizes.map((_, i) => i + 2)], false),
    ];
  },
};

function weightGradient(at: BackwardApplication, dY: string, window: Window): string {
  if (at.int('group', 1) !== 1) at.refuse('gradients of grouped weights are not supported');
  const { b } = at;
  const spatial = window.sizes.map((_, i) => i + 2);
  const exchange = [1, 0, ...spatial];
  const [correlation] = b.op('Conv', [transpose(b, at.x(0), exchange), transpose(b, dY, exchange)], {
    strides: attribute.ints(window.dilations),
    dilations: attribute.ints(window.strides),
    pads: attribute.ints([...window.padsBegin, ...window.padsEnd]),
  });
  // Rows that the strides never reached show as taps that the kernel does not have.
  const taps = slice(
    b,
    correlation,
    spatial,
    spatial.map(() => 0),
    window.kernel,
  );
  return transpose(b, taps, exchange);
}
