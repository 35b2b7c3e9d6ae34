import { attribute } from '../graph-builder.js';
import { absoluteAxis, axesOf } from './axes.js';
import { divide, shapeOf, unsqueeze } from './emit.js';
import type { Application, BackwardApplication, Fact, Operator } from './operator.js';

/** Axes over which is reduced. @param since - the operator set that made them an input */
function reducedAxes(at: Application, since: number): readonly number[] {
  const rank = at.fact(0).dims.length;
  const axes = axesOf(at, since);
  if (axes && axes.length > 0) return axes.map((axis) => absoluteAxis(at, axis, rank));
  return at.int('noop_with_empty_axes', 0) ? [] : Array.from({ length: rank }, (_, i) => i);
}

const infer =
  (since: number) =>
  (at: Application): readonly Fact[] => {
    const { type, dims } = at.fact(0);
    const axes = reducedAxes(at, since);
    const kept = at.int('keepdims', 1) !== 0;
    return [
      {
        type,
        dims: kept
          ? dims.map((axis, i) => (axes.includes(i) ? 1 : axis))
          : dims.filter((_, i) => !axes.includes(i)),
      },
    ];
  };

/** The gradient of each sum, given to all of its terms. */
function spread(at: BackwardApplication, dY: string, since: number): string {
  const axes = at.int('keepdims', 1) ? [] : [...reducedAxes(at, since)].sort((a, b) => a - b);
  return at.b.op('Expand', [unsqueeze(at.b, dY, axes), shapeOf(at.b, at.x(0))])[0];
}

export const reduceSum: Operator = {
  opType: 'ReduceSum',
  infer: infer(13),
  backward: (at, dY) => [() => spread(at, dY, 13), undefined],
};

/** The number of terms is counted at run time, so that means over a batch work too. */
export const reduceMean: Operator = {
  opType: 'ReduceMean',
  infer: infer(18),
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const sizeOf = (value: string): string =>
        b.op('Cast', [b.op('Size', [value])[0]], { to: attribute.int(1) })[0];
      return spread(at, divide(b, dY, divide(b, sizeOf(at.x(0)), sizeOf(at.y(0)))), 18);
    },
    undefined,
  ],
};
