import type { Axis } from '../model.js';
import { broadcast } from './axes.js';
import { reduceTo, reshapeLike, transpose, unsqueeze } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';

const last = (dims: readonly Axis[], fromEnd: number): Axis => dims[dims.length - fromEnd]!;

/** The axes over which whole matrices are repeated. */
const batch = (dims: readonly Axis[]): readonly Axis[] => dims.slice(0, -2);

const isVector = (at: Application, i: number): boolean => at.fact(i).dims.length === 1;

/** Shapes of the operands as matrices: a vector is a row on the left, and a column on the right. */
function matrices(at: Application): readonly [readonly Axis[], readonly Axis[]] {
  const given = [at.fact(0).dims, at.fact(1).dims] as const;
  if (given.some((dims) => dims.length === 0)) at.refuse('expected vectors or matrices, got a scalar');
  const a = isVector(at, 0) ? [1, ...given[0]] : given[0];
  const b = isVector(at, 1) ? [...given[1], 1] : given[1];
  if (last(a, 1) !== last(b, 2)) at.refuse(`cannot multiply [${given[0]}] by [${given[1]}]`);
  return [a, b];
}

/** An operand as a matrix, with its last two axes swapped. */
function swapped(at: BackwardApplication, i: number): string {
  const rank = at.fact(i).dims.length;
  if (rank === 1) return unsqueeze(at.b, at.x(i), [i === 0 ? 1 : 0]);
  const permutation = Array.from({ length: rank }, (_, axis) => axis);
  permutation.splice(-2, 2, rank - 1, rank - 2);
  return transpose(at.b, at.x(i), permutation);
}

/** Y = A·B: dA = dY·Bᵀ, dB = Aᵀ·dY, each summed over broadcast batch axes. */
export const matMul: Operator = {
  opType: 'MatMul',
  infer: (at) => {
    const [a, b] = matrices(at);
    const repeats = broadcast(at, [batch(a), batch(b)]);
    const rows = isVector(at, 0) ? [] : [last(a, 2)];
    const columns = isVector(at, 1) ? [] : [last(b, 1)];
    return [{ type: at.fact(0).type, dims: [...repeats, ...rows, ...columns] }];
  },
  backward: (at, dY) => {
    const [a, b] = matrices(at);
    const repeats = broadcast(at, [batch(a), batch(b)]);
    const [rows, inner, columns] = [last(a, 2), last(a, 1), last(b, 1)];
    const missing = [0, 1].flatMap((i) => (isVector(at, i) ? [repeats.length + i] : []));
    const product = (left: string, right: string): string => at.b.op('MatMul', [left, right])[0];
    const matrix = (): string => unsqueeze(at.b, dY, missing);
    const asGiven = (i: number, gradient: string): string =>
      isVector(at, i) ? reshapeLike(at.b, gradient, at.x(i)) : gradient;
    return [
      () => asGiven(0, reduceTo(at.b, product(matrix(), swapped(at, 1)), [...repeats, rows, inner], a)),
      () => asGiven(1, reduceTo(at.b, product(swapped(at, 0), matrix()), [...repeats, inner, columns], b)),
    ];
  },
};
