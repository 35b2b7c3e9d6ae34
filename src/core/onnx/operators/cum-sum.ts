import { attribute } from '../graph-builder.js';
import type { Operator } from './operator.js';

/** Running sums along an axis: the gradient is summed the other way round. */
export const cumSum: Operator = {
  opType: 'CumSum',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => [
    () =>
      at.b.op('CumSum', [dY, at.x(1)], {
        ...at.node.attributes,
        reverse: attribute.int(at.int('reverse', 0) ? 0 : 1),
      })[0],
    undefined,
  ],
};
