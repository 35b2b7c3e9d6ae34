import { attribute } from '../graph-builder.js';
import { fixed } from './axes.js';
import { reduceSum, slice } from './emit.js';
import { filterGradient } from './filter-gradient.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import type { Window } from './window.js';

/** The sliding window that leads back: from the spatial axes of the output to those of the input. */
function geometry(at: Application): Window {
  const inputSizes = fixed(at, at.fact(0).dims.slice(2));
  const kernel = fixed(at, at.fact(1).dims.slice(2));
  const perAxis = (name: string, fallback: number, least: number): readonly number[] => {
    const values = at.ints(name) ?? inputSizes.map(() => fallback);
    if (values.length !== inputSizes.length || values.some((value) => value < least)) {
      at.refuse(
        `attribute ${name}: expected ${inputSizes.length} numbers of at least ${least}, got [${values}]`,
      );
    }
    return values;
  };
  const strides = perAxis('strides', 1, 1);
  const dilations = perAxis('dilations', 1, 1);
  const outputPadding = perAxis('output_padding', 0, 0);
  // Lengths of the output if nothing is cut off.
  const whole = inputSizes.map(
    (size, i) => (size - 1) * strides[i]! + dilations[i]! * (kernel[i]! - 1) + 1 + outputPadding[i]!,
  );
  const autoPad = at.string('auto_pad', 'NOTSET');
  const isSame = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER';
  const wanted =
    at.ints('output_shape')?.slice(-inputSizes.length) ??
    (isSame ? inputSizes.map((size, i) => size * strides[i]!) : undefined);
  const common = { kernel, strides, dilations, outputSizes: inputSizes };
  if (wanted) {
    const totals = whole.map((length, i) => Math.max(0, length - wanted[i]!));
    const smaller = totals.map((total) => Math.floor(total / 2));
    const larger = totals.map((total) => Math.ceil(total / 2));
    const [padsBegin, padsEnd] = autoPad === 'SAME_UPPER' ? [smaller, larger] : [larger, smaller];
    return { ...common, sizes: wanted, padsBegin, padsEnd };
  }
  const pads = (autoPad === 'NOTSET' ? at.ints('pads') : undefined) ?? [...kernel, ...kernel].map(() => 0);
  if (pads.some((each) => each < 0)) at.refuse(`expected pads of at least 0, got [${pads}]`);
  const padsBegin = pads.slice(0, kernel.length);
  const padsEnd = pads.slice(kernel.length);
  return {
    ...common,
    sizes: whole.map((length, i) => length - padsBegin[i]! - padsEnd[i]!),
    padsBegin,
    padsEnd,
  };
}

/**
 * The transposed convolution, X [N, C, …], W [C, M/groups, …]: every element of X spreads over a window of Y. So dX is the
 * convolution of dY with the same W, and dW is that convolution's, X standing for the gradient of its output.
 */
export const convTranspose: Operator = {
  opType: 'ConvTranspose',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const [channels, filters] = fixed(at, at.fact(1).dims);
    const groups = at.int('group', 1);
    if (dims[1] !== channels || channels! % groups !== 0) {
      at.refuse(`weights of [${at.fact(1).dims}] in ${groups} groups do not fit an input of [${dims}]`);
    }
    return [{ type, dims: [dims[0]!, filters! * groups, ...geometry(at).sizes] }];
  },
  backward: (at, dY) => {
    const window = geometry(at);
    const groups = at.int('group', 1);
    const [, channels] = fixed(at, at.fact(1).dims);
    return [
      () => convolved(at, dY, window, groups),
      () => filterGradient(at.b, { input: dY, window, groups, channels: channels! }, at.x(0)),
      () => reduceSum(at.b, dY, [0, ...window.sizes.map((_, i) => i + 2)], false),
    ];
  },
};

function convolved(at: BackwardApplication, dY: string, window: Window, groups: number): string {
  const { sizes, strides, dilations, kernel, padsBegin, padsEnd, outputSizes } = window;
  const [gradient] = at.b.op('Conv', [dY, at.x(1)], {
    strides: attribute.ints(strides),
    dilations: attribute.ints(dilations),
    pads: attribute.ints([...padsBegin, ...padsEnd]),
    group: attribute.int(groups),
  });
  // Where the output is longer than the windows reach, more of them fit than there were elements.
  const reached = sizes.map((size, i) => {
    const extent = dilations[i]! * (kernel[i]! - 1) + 1;
    return Math.floor((size + padsBegin[i]! + padsEnd[i]! - extent) / strides[i]!) + 1;
  });
  if (reached.every((length, i) => length === outputSizes[i])) return gradient;
  const spatial = sizes.map((_, i) => i + 2);
  return slice(
    at.b,
    gradient,
    spatial,
    spatial.map(() => 0),
    outputSizes,
  );
}
