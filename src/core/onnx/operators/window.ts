import { attribute } from '../graph-builder.js';
import type { Attribute } from '../model.js';
import { floatTensor } from '../tensor.js';
import { fixed } from './axes.js';
import type { Application, BackwardApplication } from './operator.js';

/** How a window slides over the spatial axes of [N, C, …]: one entry an axis. */
export interface Window {
  /** Lengths of the input's spatial axes. */
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  /** Lengths of the output's spatial axes. */
  readonly outputSizes: readonly number[];
}

/**
 * Reads the attributes that convolutions and pools share, with `auto_pad` worked out.
 *
 * @param kernel - lengths of the window
 */
export function windowOf(at: Application, kernel: readonly number[]): Window {
  const sizes = fixed(at, at.fact(0).dims.slice(2));
  const rank = sizes.length;
  if (kernel.length !== rank) at.refuse(`expected a window of ${rank} axes, got [${kernel}]`);
  const strides = at.ints('strides') ?? sizes.map(() => 1);
  const dilations = at.ints('dilations') ?? sizes.map(() => 1);
  for (const steps of [kernel, strides, dilations]) {
    if (steps.length !== rank || steps.some((each) => each < 1)) {
      at.refuse(`expected ${rank} positive kernel lengths, strides and dilations, got [${steps}]`);
    }
  }
  const extents = kernel.map((length, i) => dilations[i]! * (length - 1) + 1);
  const autoPad = at.string('auto_pad', 'NOTSET');
  if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
    const outputSizes = sizes.map((size, i) => Math.ceil(size / strides[i]!));
    const totals = sizes.map((size, i) =>
      Math.max(0, (outputSizes[i]! - 1) * strides[i]! + extents[i]! - size),
    );
    // The odd row of padding goes to the end for SAME_UPPER, to the beginning for SAME_LOWER.
    const smaller = totals.map((total) => Math.floor(total / 2));
    const larger = totals.map((total) => Math.ceil(total / 2));
    const [padsBegin, padsEnd] = autoPad === 'SAME_UPPER' ? [smaller, larger] : [larger, smaller];
    return { sizes, kernel, strides, dilations, padsBegin, padsEnd, outputSizes };
  }
  if (autoPad !== 'NOTSET' && autoPad !== 'VALID') at.refuse(`auto_pad ${autoPad} is not known`);
  const pads = (autoPad === 'NOTSET' ? at.ints('pads') : undefined) ?? [...sizes, ...sizes].map(() => 0);
  if (pads.length !== 2 * rank || pads.some((each) => each < 0)) {
    at.refuse(`expected ${2 * rank} pads of at least 0, got [${pads}]`);
  }
  const padsBegin = pads.slice(0, rank);
  const padsEnd = pads.slice(rank);
  const ceil = at.int('ceil_mode', 0) !== 0;
  const outputSizes = sizes.map((size, i) => {
    const room = size + padsBegin[i]! + padsEnd[i]! - extents[i]!;
    const steps = Math.floor(room / strides[i]!);
    if (!ceil || room % strides[i]! === 0) return steps + 1;
    // A window that would start in the padding at the end is left out.
    return (steps + 1) * strides[i]! < size + padsBegin[i]! ? steps + 2 : steps + 1;
  });
  if (outputSizes.some((size) => size < 1)) at.refuse(`a window of [${kernel}] does not fit in [${sizes}]`);
  return { sizes, kernel, strides, dilations, padsBegin, padsEnd, outputSizes };
}

/**
 * Attributes of the ConvTranspose that undoes the window's sliding, giving exactly the input's shape: what the last
 * window reaches beyond the input is cut off, what no window reaches is filled with zeros.
 */
export function transposedWindow(window: Window, groups: number): Record<string, Attribute> {
  const excess = window.sizes.map((size, i) => {
    const extent = window.dilations[i]! * (window.kernel[i]! - 1) + 1;
    return (window.outputSizes[i]! - 1) * window.strides[i]! + extent - window.padsBegin[i]! - size;
  });
  return {
    kernel_shape: attribute.ints(window.kernel),
    strides: attribute.ints(window.strides),
    dilations: attribute.ints(window.dilations),
    pads: attribute.ints([...window.padsBegin, ...excess.map((each) => Math.max(0, each))]),
    output_padding: attribute.ints(excess.map((each) => Math.max(0, -each))),
    group: attribute.int(groups),
  };
}

/** Gives each window's value to every element that it covers, channel by channel: a transposed convolution of ones. */
export function spreadOverWindows(at: BackwardApplication, values: string, window: Window): string {
  const { b } = at;
  const [channels] = fixed(at, at.fact(0).dims.slice(1, 2));
  const shape = [channels!, 1, ...window.kernel];
  const ones = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1);
  const kernel = b.constant(floatTensor(shape, ones), 'ones');
  return b.op('ConvTranspose', [values, kernel], transposedWindow(window, channels!))[0];
}
