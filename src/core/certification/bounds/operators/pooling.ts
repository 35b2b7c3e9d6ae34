import { type Window, windowOf } from '../../../onnx/index.js';
import { type LinearMap, largest, sparseMap } from '../linear-map.js';
import type { BoundedOperator, Rule, Use } from './operator.js';
import { inPlanes, tapsOf } from './taps.js';

const geometry = (use: Use): Window =>
  windowOf(use, use.ints('kernel_shape') ?? use.refuse('expected a kernel_shape'));

/** One window over all of the spatial axes. */
function wholePlane(use: Use): Window {
  const sizes = use.dims(0).slice(2);
  const each = (value: number): readonly number[] => sizes.map(() => value);
  return {
    sizes,
    kernel: sizes,
    strides: each(1),
    dilations: each(1),
    padsBegin: each(0),
    padsEnd: each(0),
    outputSizes: each(1),
  };
}

function windows(use: Use, window: Window) {
  const planes = use.dims(0)[0]! * use.dims(0)[1]!;
  const plane = window.sizes.reduce((a, b) => a * b, 1);
  return { ...inPlanes(tapsOf(window), planes, plane), inputs: planes * plane };
}

function maximum(use: Use, window: Window): readonly Rule[] {
  if (use.node.outputs.filter(Boolean).length > 1) use.refuse('bounds of indices are not known');
  const { starts, positions } = windows(use, window);
  if (starts.some((start, i) => i > 0 && start === starts[i - 1]))
    use.refuse('a window covers padding alone');
  return [{ kind: 'maximum', starts, sources: positions }];
}

export const maxPool: BoundedOperator = { opType: 'MaxPool', bind: (use) => maximum(use, geometry(use)) };
export const globalMaxPool: BoundedOperator = {
  opType: 'GlobalMaxPool',
  bind: (use) => maximum(use, wholePlane(use)),
};

/** @param divisorOf - by how much a sum is divided, given how many elements its window covers */
function average(
  use: Use,
  window: Window,
  divisorOf: (count: number, place: number) => number,
): readonly Rule[] {
  const { starts, positions, inputs } = windows(use, window);
  const weights = new Float64Array(positions.length);
  for (let place = 0; place + 1 < starts.length; place++) {
    const count = starts[place + 1]! - starts[place]!;
    weights.fill(1 / divisorOf(count, place), starts[place], starts[place + 1]);
  }
  const map = sparseMap({ starts, columns: positions, weights }, inputs);
  return [{ kind: 'affine', terms: [{ input: 0, map }], roundings: map.fanIn + 3 }];
}

export const averagePool: BoundedOperator = {
  opType: 'AveragePool',
  bind(use) {
    const window = geometry(use);
    const volume = window.kernel.reduce((a, b) => a * b, 1);
    if (!use.int('count_include_pad', 0)) return average(use, window, (count) => count);
    // Whether the overhang of a last window counts as padding differs between runtimes.
    if (use.int('ceil_mode', 0)) use.refuse('count_include_pad together with ceil_mode is not supported');
    return average(use, window, () => volume);
  },
};

export const globalAveragePool: BoundedOperator = {
  opType: 'GlobalAveragePool',
  bind: (use) => average(use, wholePlane(use), (count) => count),
};

/** Sums over axes, divided where it is a mean. */
const reduction = (opType: string, isMean: boolean, axesInputSince: number): BoundedOperator => ({
  opType,
  bind(use) {
    const dims = use.dims(0);
    const given =
      use.opset < axesInputSince ? use.ints('axes') : use.has(1) ? Array.from(use.constant(1)) : undefined;
    if (given === undefined || given.length === 0) {
      if (use.int('noop_with_empty_axes', 0)) use.refuse('expected axes');
    }
    const all = given === undefined || given.length === 0;
    const axes = new Set(
      dims.flatMap((_, i) => (all || given.includes(i) || given.includes(i - dims.length) ? [i] : [])),
    );
    const map = summing(dims, axes, isMean);
    return [{ kind: 'affine', terms: [{ input: 0, map }], roundings: map.fanIn + 3 }];
  },
});

function summing(dims: readonly number[], axes: ReadonlySet<number>, isMean: boolean): LinearMap {
  const size = dims.reduce((a, b) => a * b, 1);
  const rows: number[][] = [];
  for (let i = 0; i < size; i++) {
    let rest = i;
    let row = 0;
    let stride = 1;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const along = rest % dims[axis]!;
      rest = Math.floor(rest / dims[axis]!);
      if (axes.has(axis)) continue;
      row += along * stride;
      stride *= dims[axis]!;
    }
    rows[row] ??= [];
    rows[row]!.push(i);
  }
  const starts = new Int32Array(rows.length + 1);
  rows.forEach((row, i) => {
    starts[i + 1] = starts[i]! + row.length;
  });
  const count = largest(rows.map(({ length }) => length));
  const weights = new Float64Array(size).fill(isMean ? 1 / count : 1);
  return sparseMap({ starts, columns: Int32Array.from(rows.flat()), weights }, size);
}

export const reduceMean = reduction('ReduceMean', true, 18);
export const reduceSum = reduction('ReduceSum', false, 13);
