import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { absoluteAxis, fixed } from './axes.js';
import { add, shapeOf, slice, vector, zerosLike } from './emit.js';
import { withElements } from './fold.js';
import type { Application, Operator } from './operator.js';

const inputAxis = (at: Application, fallback: number): number =>
  absoluteAxis(at, at.int('axis', fallback), at.fact(0).dims.length);

/** The sum of lengths; an unknown one of its own, named after the node's output, where a symbol is among them. */
function total(at: Application, axis: number, lengths: readonly Axis[]): Axis {
  if (lengths.length === 1) return lengths[0]!;
  const known = lengths.filter((length) => typeof length === 'number');
  if (known.length < lengths.length) return `${at.node.outputs[0]}[${axis}]`;
  return known.reduce((sum, length) => sum + length, 0);
}

/** Each input gets its part of the gradient. */
export const concat: Operator = {
  opType: 'Concat',
  infer: (at) => {
    const facts = at.node.inputs.map((_, i) => at.fact(i));
    const axis = inputAxis(at, 0);
    const lengths = facts.map(({ dims }) => dims[axis] ?? at.refuse('inputs of different ranks'));
    const elements = facts.every((fact) => fact.elements && fact.dims.length === 1)
      ? facts.flatMap((fact) => fact.elements!)
      : undefined;
    const dims = at.fact(0).dims.map((length, i) => (i === axis ? total(at, axis, lengths) : length));
    return [withElements({ type: at.fact(0).type, dims }, elements)];
  },
  backward: (at, dY) => {
    const { b } = at;
    const axis = inputAxis(at, 0);
    const lengths = at.node.inputs.map((_, i) => at.fact(i).dims[axis]!);
    const part = (i: number): string => {
      const before = lengths.slice(0, i);
      if ([...before, lengths[i]!].every((length) => typeof length === 'number')) {
        const start = (before as number[]).reduce((sum, length) => sum + length, 0);
        return slice(b, dY, [axis], [start], [start + Number(lengths[i])]);
      }
      // Symbolic lengths are counted at run time.
      const counts = at.node.inputs.slice(0, i + 1).map((_, j) => {
        const counted = shapeOf(b, at.x(j));
        return b.op('Slice', [counted, vector(b, [axis]), vector(b, [axis + 1])])[0];
      });
      const sum = (from: string, count: string): string => add(b, from, count);
      const start = counts.slice(0, i).reduce(sum, vector(b, [0]));
      return b.op('Slice', [dY, start, sum(start, counts[i]!), vector(b, [axis])])[0];
    };
    return at.node.inputs.map((_, i) => () => (lengths.length === 1 ? dY : part(i)));
  },
};

/** The gradients of the parts, side by side; parts that the loss does not see count as zeros. */
export const split: Operator = {
  opType: 'Split',
  infer: (at) => {
    const { type, dims, elements } = at.fact(0);
    const axis = inputAxis(at, 0);
    let start = 0;
    return partLengths(at, axis).map((part) => {
      const own = dims.length === 1 ? elements?.slice(start, start + part) : undefined;
      start += part;
      return withElements({ type, dims: dims.map((length, i) => (i === axis ? part : length)) }, own);
    });
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
