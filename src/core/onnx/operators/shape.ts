import { product } from './axes.js';
import type { Operator } from './operator.js';

/** The lengths of a tensor's axes: known, if only as symbols. */
export const shape: Operator = {
  opType: 'Shape',
  infer: (at) => {
    const { dims } = at.fact(0);
    const elements = dims.slice(at.int('start', 0), at.int('end', dims.length));
    return [{ type: 'int64', dims: [elements.length], elements }];
  },
  backward: 'constant',
};

/** The number of elements. */
export const size: Operator = {
  opType: 'Size',
  infer: (at) => [{ type: 'int64', dims: [], elements: [product(at.fact(0).dims)] }],
  backward: 'constant',
};
