import { absoluteAxis } from './axes.js';
import type { Operator } from './operator.js';

/** Where along an axis the extreme lies: an index, which moves in steps. */
const argExtreme = (opType: string): Operator => ({
  opType,
  infer: (at) => {
    const { dims } = at.fact(0);
    const axis = absoluteAxis(at, at.int('axis', 0), dims.length);
    const kept = at.int('keepdims', 1) !== 0;
    return [
      {
        type: 'int64',
        dims: kept ? dims.map((length, i) => (i === axis ? 1 : length)) : dims.filter((_, i) => i !== axis),
      },
    ];
  },
  backward: 'flat',
});

export const argMax = argExtreme('ArgMax');
export const argMin = argExtreme('ArgMin');

/** 1 at the largest element, 0 elsewhere. */
export const hardmax: Operator = {
  opType: 'Hardmax',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: 'flat',
};
