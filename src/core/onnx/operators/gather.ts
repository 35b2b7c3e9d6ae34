import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { absoluteAxis } from './axes.js';
import { scatterAlong, vector } from './emit.js';
import type { Application, Operator } from './operator.js';

const gatherAxis = (at: Application): number => absoluteAxis(at, at.int('axis', 0), at.fact(0).dims.length);

/** Picks slices by number; a slice that is picked twice collects both gradients. */
export const gather: Operator = {
  opType: 'Gather',
  infer: (at) => {
    const { type, dims, elements } = at.fact(0);
    const indices = at.fact(1);
    const axis = gatherAxis(at);
    const picked =
      elements && dims.length === 1
        ? indices.elements?.map((index): Axis | undefined =>
            typeof index === 'number' ? elements.at(index) : undefined,
          )
        : undefined;
    return [
      {
        type,
        dims: [...dims.slice(0, axis), ...indices.dims, ...dims.slice(axis + 1)],
        ...(picked?.every((each) => each !== undefined) && { elements: picked }),
      },
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      // Scattering with addition came with operator set 16; one index cannot repeat.
      const single = at.fact(1).dims.every((length) => length === 1);
      if (!single && at.opset < 16) at.refuse('gathering several slices needs operator set 16');
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
      return scatterAlong(b, at.x(0), updates, indices, axis, dims.length, !single);
    },
    undefined,
  ],
};
