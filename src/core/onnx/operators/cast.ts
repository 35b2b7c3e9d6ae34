import { dataTypeOf } from '../data-types.js';
import type { Operator } from './operator.js';

/** Between types that carry gradients a cast changes nothing; a gradient through any other is refused on the way. */
export const cast: Operator = {
  opType: 'Cast',
  infer: (at) => {
    const type = dataTypeOf(at.int('to', 0)) ?? at.refuse(`type ${at.int('to', 0)} is not supported`);
    return [{ ...at.fact(0), type }];
  },
  backward: (_, dY) => [() => dY],
};
