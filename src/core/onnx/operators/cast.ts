import { dataTypeOf } from '../data-types.js';
import { withElements } from './fold.js';
import type { Operator } from './operator.js';

/** Between types that carry gradients a cast changes nothing; a gradient through any other is refused on the way. */
export const cast: Operator = {
  opType: 'Cast',
  infer: (at) => {
    const type = dataTypeOf(at.int('to', 0)) ?? at.refuse(`type ${at.int('to', 0)} is not supported`);
    const { dims, elements } = at.fact(0);
    const isWhole = type.includes('int');
    return [
      withElements(
        { type, dims },
        elements?.map((value) => (typeof value === 'number' && isWhole ? Math.trunc(value) : value)),
      ),
    ];
  },
  backward: (_, dY) => [() => dY],
};
