import { attribute } from '../graph-builder.js';
import { absoluteAxis } from './axes.js';
import { zerosLike } from './emit.js';
import type { Operator } from './operator.js';

/** The K extreme elements along an axis: each gradient goes back to the element that was taken. */
export const topK: Operator = {
  opType: 'TopK',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const axis = absoluteAxis(at, at.int('axis', -1), dims.length);
    const [count] = at.integers(1);
    const taken = dims.map((length, i) => (i === axis ? count! : length));
    return [
      { type, dims: taken },
      { type: 'int64', dims: taken },
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const [, indices] = b.op('TopK', [at.x(0), at.x(1)], at.node.attributes, 2);
      return b.op('ScatterElements', [zerosLike(b, at.x(0)), indices, dY], {
        axis: attribute.int(at.int('axis', -1)),
      })[0];
    },
    undefined,
  ],
};
