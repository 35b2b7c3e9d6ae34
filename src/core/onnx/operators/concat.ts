import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { absoluteAxis, fixed } from './axes.js';
import { slice, zerosLike } from './emit.js';
import type { Application, Operator } from './operator.js';

const inputAxis = (at: Application, fallback: number): number =>
  absoluteAxis(at, at.int('axis', fallback), at.fact(0).dims.length);

/** Each input gets its part of the gradient. */
export const concat: Operator = {
  opType: 'Concat',
  infer: (at) => {
    const facts = at.node.inputs.map((_, i) => at.fact(i));
    const axis = inputAxis(at, 0);
    const lengths = facts.map(({ dims }) => dims[axis] ?? at.refuse('inputs of different ranks'));
    const total: Axis =
      lengths.length === 1 ? lengths[0]! : fixed(at, lengths).reduce((sum, length) => sum + length, 0);
    const elements = facts.flatMap((fact) => fact.elements ?? []);
    return [
      {
        type: at.fact(0).type,
        dims: at.fact(0).dims.map((length, i) => (i === axis ? total : length)),
        ...(facts.every((fact) => fact.elements && fact.dims.length === 1) && { elements }),
      },
    ];
  },
  backward: (at, dY) => {
    const axis = inputAxis(at, 0);
    return at.node.inputs.map((_, i) => () => {
      if (at.node.inputs.length === 1) return dY;
      const lengths = fixed(
        at,
        at.node.inputs.map((_, j) => at.fact(j).dims[axis]!),
      );
      const start = lengths.slice(0, i).reduce((sum, length) => sum + length, 0);
      return slice(at.b, dY, [axis], [start], [start + lengths[i]!]);
    });
  },
};

/** The gradients of the parts, side by side; parts that the loss does not see count as zeros. */
export const split: Operator = {
  opType: 'Split',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const axis = inputAxis(at, 0);
    return partLengths(at, axis).map((part) => ({
      type,
      dims: dims.map((length, i) => (i === axis ? part : length)),
    }));
  },
  backward: (at) => [
    () => {
      const parts = at.node.outputs.map((name, i) => at.outputGradients[i] ?? zerosLike(at.b, name));
      return at.b.op('Concat', parts, { axis: attribute.int(inputAxis(at, 0)) })[0];
    },
    undefined,
  ],
};

function partLengths(at: Application, axis: number): readonly number[] {
  const given = at.opset < 13 ? at.ints('split') : at.has(1) ? at.integers(1) : undefined;
  if (given) return given;
  const [total] = fixed(at, [at.fact(0).dims[axis]!]);
  const count = at.node.outputs.length;
  const part = Math.ceil(total! / count);
  // Since operator set 18 the last part may be smaller.
  return Array.from({ length: count }, (_, i) => Math.min(part, total! - i * part));
}
