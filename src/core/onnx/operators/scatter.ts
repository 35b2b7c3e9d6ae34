import { attribute, type GraphBuilder } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { int64Vector } from '../tensor.js';
import { floatOf, shapeOf, transpose, unsqueeze, vector, zerosLike } from './emit.js';

/** Operator set in which scattering learnt to add. */
export const scatterAddSince = 16;

/** Positions along an axis, each of which takes or gives one slice. */
export interface Positions {
  readonly axis: number;
  /** Name of an int64 vector; negative ones count from the end. */
  readonly indices: string;
  /** Whether a position may occur twice. */
  readonly repeated: boolean;
}

/**
 * Adds the slices of `updates` along an axis into zeros of the shape of `like`, at the given positions: the derivative
 * of picking slices.
 *
 * @param dims - shape of `like`
 * @returns the sum; `undefined` where positions repeat, the operator set cannot add and the axis has no fixed length
 */
export function scatterAlong(
  b: GraphBuilder,
  like: string,
  updates: string,
  { axis, indices, repeated }: Positions,
  dims: readonly Axis[],
): string | undefined {
  const length = dims[axis];
  if (repeated && b.opset < scatterAddSince) {
    return typeof length === 'number'
      ? oneHotAlong(b, updates, indices, axis, dims.length, length)
      : undefined;
  }
  const others = dims.flatMap((_, i) => (i === axis ? [] : [i]));
  const [everywhere] = b.op('Expand', [unsqueeze(b, indices, others), shapeOf(b, updates)]);
  return b.op('ScatterElements', [zerosLike(b, like), everywhere, updates], {
    axis: attribute.int(axis),
    ...(repeated && { reduction: attribute.string('add') }),
  })[0];
}

/** The same as a product with a matrix that has a one where a slice goes. */
function oneHotAlong(
  b: GraphBuilder,
  updates: string,
  indices: string,
  axis: number,
  rank: number,
  length: number,
): string {
  const [absolute] = b.op('Mod', [indices, vector(b, [length])]);
  const numbers = vector(
    b,
    Array.from({ length }, (_, i) => i),
  );
  const places = floatOf(b, b.op('Equal', [unsqueeze(b, absolute, [1]), numbers])[0]);
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
  const toLast = [...order, axis];
  const [moved] = b.op('MatMul', [transpose(b, updates, toLast), places]);
  return transpose(
    b,
    moved,
    toLast.map((_, i) => toLast.indexOf(i)),
  );
}

/** What is picked along one axis. */
export interface Pick {
  readonly axis: number;
  /** Positions taken along the axis, in order, counted from the start. */
  readonly positions: readonly number[];
}

/**
 * The way back through picking along several axes: each element's gradient goes back to where it was taken from,
 * everything else gets zero.
 *
 * @param x - what was picked from
 * @returns the gradient of x; `undefined` as for {@link scatterAlong}
 */
export function unpick(
  b: GraphBuilder,
  x: string,
  dY: string,
  picks: readonly Pick[],
  dims: readonly Axis[],
): string | undefined {
  // Along one axis after the other, so that each scatter meets a shape that differs in that axis alone.
  let [before, shape] = [x, dims];
  const stages = picks.map(({ axis, positions }) => {
    const indices = b.constant(int64Vector(positions), 'indices');
    const stage = { like: before, dims: shape, axis, indices, repeated: hasRepeats(positions) };
    [before] = b.op('Gather', [before, indices], { axis: attribute.int(axis) });
    shape = shape.map((length, i) => (i === axis ? positions.length : length));
    return stage;
  });
  return stages.reduceRight<string | undefined>(
    (gradient, stage) => gradient && scatterAlong(b, stage.like, gradient, stage, stage.dims),
    dY,
  );
}

export const hasRepeats = (positions: readonly number[]): boolean =>
  new Set(positions).size < positions.length;
