import { attribute, type GraphBuilder } from '../graph-builder.js';
import { slice, transpose, vector } from './emit.js';
import type { Window } from './window.js';

/** A convolution of `input` [N, groups·C, …] into `groups·M` channels. */
interface Convolution {
  readonly input: string;
  readonly window: Window;
  readonly groups: number;
  /** C. */
  readonly channels: number;
}

/**
 * The gradient of a convolution's filters [groups·M, C, …]: it correlates the input with the gradient of the output, with
 * batch and channels exchanged and strides and dilations exchanged. Groups stay groups, of one channel a sample each.
 *
 * @param outputGradient - gradient of the output [N, groups·M, …]
 */
export function filterGradient(
  b: GraphBuilder,
  { input, window, groups, channels }: Convolution,
  outputGradient: string,
): string {
  const { sizes, strides, dilations, padsBegin, padsEnd, kernel } = window;
  const spatial = sizes.map((_, i) => i + 2);
  const exchange = [1, 0, ...spatial];
  const [correlation] = b.op(
    'Conv',
    [channelsFirst(b, input, [groups, channels, ...sizes]), transpose(b, outputGradient, exchange)],
    {
      strides: attribute.ints(dilations),
      dilations: attribute.ints(strides),
      pads: attribute.ints([...padsBegin, ...padsEnd]),
      group: attribute.int(groups),
    },
  );
  // Rows that the strides never reached show as taps that the kernel does not have.
  const taps = slice(
    b,
    correlation,
    spatial,
    spatial.map(() => 0),
    kernel,
  );
  return transpose(b, taps, exchange);
}

/** [N, groups·C, …] as [C, groups·N, …]. */
function channelsFirst(b: GraphBuilder, x: string, [groups, channels, ...sizes]: readonly number[]): string {
  const spatial = sizes.map((_, i) => i + 2);
  if (groups === 1) return transpose(b, x, [1, 0, ...spatial]);
  const [apart] = b.op('Reshape', [x, vector(b, [0, groups!, channels!, ...sizes])]);
  const turned = transpose(b, apart, [2, 1, 0, ...spatial.map((axis) => axis + 1)]);
  return b.op('Reshape', [turned, vector(b, [channels!, -1, ...sizes])])[0];
}
