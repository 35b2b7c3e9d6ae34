import type { Operator } from './operator.js';

/** Keeps one side of a diagonal: the gradient passes where elements were kept. */
export const trilu: Operator = {
  opType: 'Trilu',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => [
    () => at.b.op('Trilu', [dY, ...(at.has(1) ? [at.x(1)] : [])], at.node.attributes)[0],
    undefined,
  ],
};
