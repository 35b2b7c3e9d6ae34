import { attribute } from '../graph-builder.js';
import { broadcast, product } from './axes.js';
import { reduceSum, reduceTo, shapeOf, unsqueeze, vector } from './emit.js';
import { withElements } from './fold.js';
import type { Operator } from './operator.js';

/** Repeats axes of length 1: the gradients of the copies add up. */
export const expand: Operator = {
  opType: 'Expand',
  infer: (at) => {
    const { type, dims, elements } = at.fact(0);
    const shape = broadcast(at, [dims, at.elements(1)]);
    const copies = product(shape);
    const only =
      elements?.length === 1 && typeof copies === 'number' && copies <= 64 ? elements[0] : undefined;
    return [
      withElements({ type, dims: shape }, only === undefined ? undefined : Array(Number(copies)).fill(only)),
    ];
  },
  backward: (at, dY) => [() => reduceTo(at.b, dY, at.result(0).dims, at.fact(0).dims), undefined],
};

/** Repeats whole axes: with the repeats as axes of their own, the gradients are summed over those. */
export const tile: Operator = {
  opType: 'Tile',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const repeats = at.elements(1);
    return [
      {
        type,
        dims: dims.map((length, i) =>
          product([length, repeats[i] ?? at.refuse('expected one repeat an axis')]),
        ),
      },
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const rank = at.fact(0).dims.length;
      const pairs = [at.x(1), shapeOf(b, at.x(0))].map((values) => unsqueeze(b, values, [1]));
      const [interleaved] = b.op('Concat', pairs, { axis: attribute.int(1) });
      const [apart] = b.op('Reshape', [dY, b.op('Reshape', [interleaved, vector(b, [-1])])[0]]);
      return reduceSum(
        b,
        apart,
        Array.from({ length: rank }, (_, i) => 2 * i),
        false,
      );
    },
    undefined,
  ],
};
