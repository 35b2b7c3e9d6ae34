import { dataTypeOf } from '../data-types.js';
import type { Axis } from '../model.js';
import { product } from './axes.js';
import { factOfTensor } from './facts-of-tensors.js';
import { maxElements, withElements } from './fold.js';
import type { Operator } from './operator.js';

/** start, start + delta, … below the limit. */
export const range: Operator = {
  opType: 'Range',
  infer: (at) => {
    const { type } = at.fact(0);
    const [start, limit, delta] = [0, 1, 2].map((i) => at.elements(i)[0]!);
    if (typeof limit === 'string' && start === 0 && delta === 1) return [{ type, dims: [limit] }];
    if (typeof start !== 'number' || typeof limit !== 'number' || typeof delta !== 'number') {
      return at.refuse(`cannot tell how many steps lead from ${start} to ${limit}`);
    }
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    const values = length <= maxElements ? Array.from({ length }, (_, i) => start + i * delta) : undefined;
    return [withElements({ type, dims: [length] }, values)];
  },
  backward: () => [],
};

/** One value in a given shape. */
export const constantOfShape: Operator = {
  opType: 'ConstantOfShape',
  infer: (at) => {
    const { value } = at.node.attributes;
    const fact =
      value?.kind === 'tensor' ? factOfTensor(value.value) : ({ type: 'float', elements: [0] } as const);
    const dims = at.elements(0);
    const count = product(dims);
    const element = fact.elements?.[0];
    return [
      withElements(
        { type: fact.type, dims },
        typeof count === 'number' && count <= maxElements
          ? Array<Axis | undefined>(count).fill(element)
          : undefined,
      ),
    ];
  },
  backward: 'constant',
};

/** Ones on a diagonal, in the shape of the input. */
export const eyeLike: Operator = {
  opType: 'EyeLike',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const number = at.int('dtype', 0);
    return [
      {
        type: number === 0 ? type : (dataTypeOf(number) ?? at.refuse(`type ${number} is not supported`)),
        dims,
      },
    ];
  },
  backward: 'constant',
};
