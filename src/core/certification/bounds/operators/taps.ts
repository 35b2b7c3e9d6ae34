import type { Window } from '../../../onnx/index.js';

/** What a sliding window covers of one plane of the input. */
export interface Taps {
  /** Where each place of the window, row-major, begins in the lists; one more for the end. */
  readonly starts: Int32Array;
  /** Positions inside the plane. */
  readonly positions: Int32Array;
  /** Which tap of the window lies there, row-major. */
  readonly taps: Int32Array;
}

/** Taps that lie in the padding are left out. */
export function tapsOf(window: Window): Taps {
  const { sizes, kernel, strides, dilations, padsBegin, outputSizes } = window;
  const volume = kernel.reduce((a, b) => a * b, 1);
  const area = outputSizes.reduce((a, b) => a * b, 1);
  const starts = new Int32Array(area + 1);
  const positions: number[] = [];
  const taps: number[] = [];
  for (let place = 0; place < area; place++) {
    const corner = coordinates(place, outputSizes);
    for (let tap = 0; tap < volume; tap++) {
      let position = 0;
      let isInside = true;
      coordinates(tap, kernel).forEach((step, axis) => {
        const along = corner[axis]! * strides[axis]! - padsBegin[axis]! + step * dilations[axis]!;
        isInside &&= along >= 0 && along < sizes[axis]!;
        position = position * sizes[axis]! + along;
      });
      if (!isInside) continue;
      positions.push(position);
      taps.push(tap);
    }
    starts[place + 1] = positions.length;
  }
  return { starts, positions: Int32Array.from(positions), taps: Int32Array.from(taps) };
}

/** The same places in each of several planes: starts and positions in the whole. */
export function inPlanes(
  { starts, positions }: Taps,
  planes: number,
  plane: number,
): { readonly starts: Int32Array; readonly positions: Int32Array } {
  const area = starts.length - 1;
  const all = new Int32Array(planes * area + 1);
  const sources = new Int32Array(planes * positions.length);
  for (let channel = 0; channel < planes; channel++) {
    for (let place = 0; place < area; place++) {
      all[channel * area + place + 1] = channel * positions.length + starts[place + 1]!;
    }
    for (let at = 0; at < positions.length; at++) {
      sources[channel * positions.length + at] = channel * plane + positions[at]!;
    }
  }
  return { starts: all, positions: sources };
}

function coordinates(index: number, lengths: readonly number[]): readonly number[] {
  const result = new Array<number>(lengths.length);
  let rest = index;
  for (let axis = lengths.length - 1; axis >= 0; axis--) {
    result[axis] = rest % lengths[axis]!;
    rest = Math.floor(rest / lengths[axis]!);
  }
  return result;
}
