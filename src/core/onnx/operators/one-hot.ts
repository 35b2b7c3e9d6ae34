import { zerosLike } from './emit.js';
import type { Operator } from './operator.js';

/** Class numbers as vectors: a number moves in steps. */
export const oneHot: Operator = {
  opType: 'OneHot',
  infer: (at) => {
    const { dims } = at.fact(0);
    const given = at.int('axis', -1);
    const axis = given < 0 ? given + dims.length + 1 : given;
    const [depth] = at.integers(1);
    return [{ type: at.fact(2).type, dims: [...dims.slice(0, axis), depth!, ...dims.slice(axis)] }];
  },
  backward: (at) => [() => zerosLike(at.b, at.x(0)), undefined, undefined],
};
