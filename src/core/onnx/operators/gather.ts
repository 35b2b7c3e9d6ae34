import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { absoluteAxis } from './axes.js';
import { vector } from './emit.js';
import { withElements } from './fold.js';
import type { Application, Operator } from './operator.js';
import { hasRepeats, scatterAlong } from './scatter.js';

const gatherAxis = (at: Application): number => absoluteAxis(at, at.int('axis', 0), at.fact(0).dims.length);

/** Whether a slice may be picked twice. */
function repeats(at: Application): boolean {
  const { dims, elements } = at.fact(1);
  if (dims.every((length) => length === 1)) return false;
  const length = at.fact(0).dims[gatherAxis(at)];
  if (typeof length !== 'number' || !elements) return true;
  return hasRepeats(elements.map((index) => (Number(index) + length) % length));
}

/** Picks slices by number; a slice that is picked twice collects both gradients. */
export const gather: Operator = {
  opType: 'Gather',
  infer: (at) => {
    const { type, dims, elements } = at.fact(0);
    const indices = at.fact(1);
    const axis = gatherAxis(at);
    const picked = indices.elements?.map((index): Axis | undefined =>
      typeof index === 'number' ? elements?.at(index) : undefined,
    );
    return [
      withElements(
        { type, dims: [...dims.slice(0, axis), ...indices.dims, ...dims.slice(axis + 1)] },
        dims.length === 1 ? picked : undefined,
      ),
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const axis = gatherAxis(at);
      const { dims } = at.fact(0);
      const [indices] = b.op('Reshape', [
        b.op('Cast', [at.x(1)], { to: attribute.int(7) })[0],
        vector(b, [-1]),
      ]);
      // All axes of the indices as one: [before…, −1, after…], where a 0 would copy the wrong axis.
      const before = b.op('Shape', [at.x(0)])[0];
      const cut = (from: number, to: number): string =>
        b.op('Slice', [before, vector(b, [from]), vector(b, [to])])[0];
      const [shape] = b.op('Concat', [cut(0, axis), vector(b, [-1]), cut(axis + 1, dims.length)], {
        axis: attribute.int(0),
      });
      const [updates] = b.op('Reshape', [dY, shape]);
      return (
        scatterAlong(b, at.x(0), updates, { axis, indices, repeated: repeats(at) }, dims) ??
        at.refuse('gathering several slices of a symbolic length needs operator set 16')
      );
    },
    undefined,
  ],
};
