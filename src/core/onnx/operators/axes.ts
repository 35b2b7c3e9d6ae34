import type { Axis } from '../model.js';
import type { Application } from './operator.js';

/** Between the factors of a symbolic length, as in `8·N`. */
const times = '·';

/** The product of lengths: `8·N` for 2, N and 4, in one way whatever the order of the factors. */
export function product(axes: readonly Axis[]): Axis {
  return toAxis(toFactors(axes));
}

/** @returns the length by which `part` must be multiplied to give `whole`; `undefined` where that is no whole number */
export function quotient(whole: readonly Axis[], part: readonly Axis[]): Axis | undefined {
  const dividend = toFactors(whole);
  const divisor = toFactors(part);
  const symbols = [...dividend.symbols];
  for (const symbol of divisor.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  const number = dividend.number / divisor.number;
  return Number.isInteger(number) ? toAxis({ number, symbols }) : undefined;
}

/** Whether a name can stand for a length in products without being misread. */
export const isPlainSymbol = (name: string): boolean =>
  name !== '' && !/^\d+$/.test(name) && !name.includes(times);

interface Factors {
  readonly number: number;
  readonly symbols: readonly string[];
}

function toFactors(axes: readonly Axis[]): Factors {
  const parts = axes.flatMap((axis): readonly Axis[] =>
    typeof axis === 'number' ? [axis] : axis.split(times),
  );
  let number = 1;
  const symbols: string[] = [];
  for (const part of parts) {
    if (typeof part === 'number' || /^\d+$/.test(part)) number *= Number(part);
    else symbols.push(part);
  }
  return { number, symbols: symbols.sort() };
}

function toAxis({ number, symbols }: Factors): Axis {
  if (symbols.length === 0) return number;
  return [...(number === 1 ? [] : [number]), ...symbols].join(times);
}

/** An axis counted from the start: −1 is the last one. Refuses axes that do not exist. */
export function absoluteAxis(at: Application, axis: number, rank: number): number {
  const absolute = axis < 0 ? axis + rank : axis;
  if (absolute < 0 || absolute >= rank) at.refuse(`axis ${axis} does not exist in ${rank} axes`);
  return absolute;
}

/** Lengths that must be known before any input is seen, such as the sides of an image. */
export function fixed(at: Application, axes: readonly Axis[]): readonly number[] {
  return axes.map((axis) =>
    typeof axis === 'number' ? axis : at.refuse(`expected a fixed length, got the symbolic ${axis}`),
  );
}

/** Axes given by the attribute `axes` in old operator sets, and by input `i` since `since`. */
export function axesOf(at: Application, since: number, i = 1): readonly number[] | undefined {
  if (at.opset < since) return at.ints('axes');
  return at.has(i) ? at.integers(i) : undefined;
}

/** The shape of an elementwise result (ONNX "multidirectional broadcasting"). */
export function broadcast(at: Application, shapes: readonly (readonly Axis[])[]): readonly Axis[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const lengths = new Set(shapes.map((shape) => shape[i - rank + shape.length] ?? 1));
    lengths.delete(1);
    if (lengths.size > 1) {
      at.refuse(`cannot tell whether lengths ${[...lengths].join(' and ')} fit together`);
    }
    const [length = 1] = lengths;
    return length;
  });
}
