import { attribute } from '../graph-builder.js';
import { reduceTo, scale } from './emit.js';
import type { Operator } from './operator.js';

/** Y = α·A'·B' + β·C, where ' is an optional transposition: each gradient is one more Gemm. */
export const gemm: Operator = {
  opType: 'Gemm',
  infer: (at) => {
    const a = at.fact(0);
    const b = at.fact(1);
    if (a.dims.length !== 2 || b.dims.length !== 2)
      at.refuse(`expected matrices, got [${a.dims}] and [${b.dims}]`);
    const transA = at.int('transA', 0);
    const transB = at.int('transB', 0);
    if (a.dims[transA ? 0 : 1] !== b.dims[transB ? 1 : 0]) {
      at.refuse(`cannot multiply [${a.dims}] by [${b.dims}]`);
    }
    return [{ type: a.type, dims: [a.dims[transA ? 1 : 0]!, b.dims[transB ? 0 : 1]!] }];
  },
  backward: (at, dY) => {
    const transA = at.int('transA', 0) !== 0;
    const transB = at.int('transB', 0) !== 0;
    const times = (left: string, transLeft: boolean, right: string, transRight: boolean): string =>
      at.b.op('Gemm', [left, right], {
        alpha: attribute.float(at.float('alpha', 1)),
        transA: attribute.int(transLeft ? 1 : 0),
        transB: attribute.int(transRight ? 1 : 0),
      })[0];
    return [
      () => (transA ? times(at.x(1), transB, dY, true) : times(dY, false, at.x(1), !transB)),
      () => (transB ? times(dY, true, at.x(0), transA) : times(at.x(0), !transA, dY, false)),
      () => reduceTo(at.b, scale(at.b, dY, at.float('beta', 1)), at.result(0).dims, at.fact(2).dims),
    ];
  },
};
