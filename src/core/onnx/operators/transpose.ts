import { transpose as emitTranspose } from './emit.js';
import { rearranged, withElements } from './fold.js';
import type { Application, Operator } from './operator.js';

const permutation = (at: Application): readonly number[] =>
  at.ints('perm') ?? at.fact(0).dims.map((_, i, { length }) => length - 1 - i);

/** The gradient goes through the inverse permutation. */
export const transpose: Operator = {
  opType: 'Transpose',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const forward = permutation(at);
    const moved = forward.map((axis) => dims[axis] ?? at.refuse(`axis ${axis} does not exist`));
    const source = (position: readonly number[]): readonly number[] =>
      dims.map((_, axis) => position[forward.indexOf(axis)]!);
    return [withElements({ type, dims: moved }, rearranged(at.fact(0), moved, source))];
  },
  backward: (at, dY) => [
    () => {
      const forward = permutation(at);
      return emitTranspose(
        at.b,
        dY,
        forward.map((_, i) => forward.indexOf(i)),
      );
    },
  ],
};
