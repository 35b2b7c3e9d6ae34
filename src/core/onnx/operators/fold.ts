import type { Axis, DataType } from '../model.js';
import { broadcast } from './axes.js';
import type { Application, Fact } from './operator.js';

/** Enough for shapes, axes and index lists; larger tensors are data. */
export const maxElements = 256;

/** Computes one element of a result from one element of each operand; `undefined` where symbols leave it open. */
export type Combine = (...operands: readonly Axis[]) => Axis | undefined;

/**
 * What is known about an elementwise result: its broadcast shape, and its values where those of all inputs are known.
 * Exporters compute shapes with chains of such nodes.
 *
 * @param combine - left out where values are of no use
 */
export function elementwise(at: Application, type: DataType, combine?: Combine): Fact {
  const facts = at.node.inputs.map((_, i) => at.fact(i));
  const dims = broadcast(
    at,
    facts.map((fact) => fact.dims),
  );
  return withElements({ type, dims }, combine && combined(facts, dims, combine));
}

/** A fact with values, unless one of them is unknown, they are too many, or one does not fit the type exactly. */
export function withElements(fact: Fact, elements: readonly (Axis | undefined)[] | undefined): Fact {
  const { type, dims } = fact;
  if (!elements || elements.length > maxElements) return { type, dims };
  const known = elements.map((value) => asType(type, value));
  return known.every((value) => value !== undefined) ? { type, dims, elements: known } : { type, dims };
}

/** A combination of plain numbers, unknown where an operand is symbolic. */
export const numeric =
  (combine: (...operands: readonly number[]) => number): Combine =>
  (...operands) =>
    operands.every((value) => typeof value === 'number') ? combine(...(operands as number[])) : undefined;

function combined(
  facts: readonly Fact[],
  dims: readonly Axis[],
  combine: Combine,
): readonly (Axis | undefined)[] | undefined {
  const lengths = dims.filter((axis) => typeof axis === 'number');
  const count = lengths.reduce((a, b) => a * b, 1);
  if (lengths.length < dims.length || count > maxElements) return undefined;
  if (!facts.every((fact) => fact.elements)) return undefined;
  return Array.from({ length: count }, (_, i) =>
    combine(...facts.map((fact) => fact.elements![sourceIndex(i, lengths, fact.dims)]!)),
  );
}

/** Which element of an operand of shape `from` meets element `i` of a result of shape `to`. */
function sourceIndex(i: number, to: readonly number[], from: readonly Axis[]): number {
  let [rest, index, stride] = [i, 0, 1];
  for (let axis = 1; axis <= to.length; axis++) {
    const length = to[to.length - axis]!;
    const own = from.length >= axis ? Number(from[from.length - axis]) : 1;
    if (own > 1) index += (rest % length) * stride;
    stride *= own;
    rest = Math.floor(rest / length);
  }
  return index;
}

/**
 * Values of a result whose elements are elements of an input, elsewhere.
 *
 * @param to - shape of the result
 * @param source - where in the input the element at a position comes from
 */
export function rearranged(
  { dims, elements }: Fact,
  to: readonly Axis[],
  source: (position: readonly number[]) => readonly number[],
): readonly (Axis | undefined)[] | undefined {
  const lengths = to.filter((axis) => typeof axis === 'number');
  const count = lengths.reduce((a, b) => a * b, 1);
  if (!elements || lengths.length < to.length || count > maxElements) return undefined;
  return Array.from({ length: count }, (_, i) => {
    let rest = i;
    const position = [...lengths]
      .reverse()
      .map((length) => {
        const along = rest % length;
        rest = Math.floor(rest / length);
        return along;
      })
      .reverse();
    return elements[source(position).reduce((index, along, axis) => index * Number(dims[axis]) + along, 0)];
  });
}

function asType(type: DataType, value: Axis | undefined): Axis | undefined {
  if (typeof value !== 'number') return type === 'bool' ? undefined : value;
  switch (type) {
    case 'float':
      return Math.fround(value);
    case 'bool':
      return value === 0 ? 0 : 1;
    case 'int64':
      // 2⁶³−1, which stands for "to the end", is carried as 2⁶³.
      return Number.isInteger(value) ? value : undefined;
    case 'int32':
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : undefined;
    default:
      return undefined;
  }
}
