import type { Axis } from '../model.js';
import { broadcast } from './axes.js';
import { reduceTo, transpose } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';

const last = (dims: readonly Axis[], fromEnd: number): Axis => dims[dims.length - fromEnd]!;

/** The axes over which whole matrices are repeated. */
const batch = (dims: readonly Axis[]): readonly Axis[] => dims.slice(0, -2);

function matrices(at: Application): readonly [readonly Axis[], readonly Axis[]] {
  const a = at.fact(0).dims;
  const b = at.fact(1).dims;
  if (a.length < 2 || b.length < 2) at.refuse('vectors are not supported, only matrices');
  if (last(a, 1) !== last(b, 2)) at.refuse(`cannot multiply [${a}] by [${b}]`);
  return [a, b];
}

/** A with its last two axes swapped. */
function swapped(at: BackwardApplication, i: number): string {
  const rank = at.fact(i).dims.length;
  const permutation = Array.from({ length: rank }, (_, axis) => axis);
  permutation.splice(-2, 2, rank - 1, rank - 2);
  return transpose(at.b, at.x(i), permutation);
}

/** Y = A·B: dA = dY·Bᵀ, dB = Aᵀ·dY, each summed over broadcast batch axes. */
export const matMul: Operator = {
  opType: 'MatMul',
  infer: (at) => {
    const [a, b] = matrices(at);
    return [
      { type: at.fact(0).type, dims: [...broadcast(at, [batch(a), batch(b)]), last(a, 2), last(b, 1)] },
    ];
  },
  backward: (at, dY) => {
    const [a, b] = matrices(at);
    const repeats = batch(at.result(0).dims);
    const [rows, inner, columns] = [last(a, 2), last(a, 1), last(b, 1)];
    return [
      () => reduceTo(at.b, at.b.op('MatMul', [dY, swapped(at, 1)])[0], [...repeats, rows, inner], a),
      () => reduceTo(at.b, at.b.op('MatMul', [swapped(at, 0), dY])[0], [...repeats, inner, columns], b),
    ];
  },
};
