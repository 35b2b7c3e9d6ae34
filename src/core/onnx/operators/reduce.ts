import type { Axis } from '../model.js';
import { absoluteAxis, axesOf } from './axes.js';
import { divide, floatOf, shapeOf, unsqueeze } from './emit.js';
import { withElements } from './fold.js';
import type { Application, BackwardApplication, Operator } from './operator.js';
import { plus } from './symbolic.js';

/** One reduction in a graph, as its rule sees it: everything in the shape in which reduced axes have length 1. */
export interface Reduction {
  readonly at: BackwardApplication;
  /** Axes over which is reduced; none where the operator does nothing. */
  readonly axes: readonly number[];
  /** The result. */
  y(): string;
  /** The gradient of the result. */
  readonly dY: string;
}

/**
 * An operator that reduces over axes.
 *
 * @param since - the operator set that made the axes an input
 * @param derive - gives the gradient of the input, in its shape or in one that broadcasts to it
 * @param fold - the result over a whole vector whose values are known
 */
export const reduction = (
  opType: string,
  since: number,
  derive: (reduction: Reduction) => string,
  fold?: (values: readonly Axis[]) => Axis | undefined,
): Operator => ({
  opType,
  infer: (at) => {
    const { type, dims, elements } = at.fact(0);
    const axes = reducedAxes(at, since);
    const kept = at.int('keepdims', 1) !== 0;
    const shape = kept
      ? dims.map((axis, i) => (axes.includes(i) ? 1 : axis))
      : dims.filter((_, i) => !axes.includes(i));
    const whole = elements && dims.length === 1 && axes.length === 1;
    return [withElements({ type, dims: shape }, whole && fold ? [fold(elements)] : undefined)];
  },
  backward: (at, dY) => [
    () => {
      const axes = reducedAxes(at, since);
      const dropped = at.int('keepdims', 1) ? [] : [...axes].sort((a, b) => a - b);
      const keep = (value: string): string => unsqueeze(at.b, value, dropped);
      const gradient = derive({ at, axes, y: () => keep(at.y(0)), dY: keep(dY) });
      return at.b.op('Expand', [gradient, shapeOf(at.b, at.x(0))])[0];
    },
    undefined,
  ],
});

function reducedAxes(at: Application, since: number): readonly number[] {
  const rank = at.fact(0).dims.length;
  const axes = axesOf(at, since);
  if (axes && axes.length > 0) return axes.map((axis) => absoluteAxis(at, axis, rank));
  return at.int('noop_with_empty_axes', 0) ? [] : Array.from({ length: rank }, (_, i) => i);
}

export const reduceSum = reduction(
  'ReduceSum',
  13,
  ({ dY }) => dY,
  (values) =>
    values.reduce<Axis | undefined>((sum, value) => (sum === undefined ? sum : plus(sum, value)), 0),
);

/** The number of terms is counted at run time, so that means over a batch work too. */
export const reduceMean = reduction('ReduceMean', 18, ({ at, dY }) => {
  const { b } = at;
  const sizeOf = (value: string): string => floatOf(b, b.op('Size', [value])[0]);
  return divide(b, dY, divide(b, sizeOf(at.x(0)), sizeOf(at.y(0))));
});
