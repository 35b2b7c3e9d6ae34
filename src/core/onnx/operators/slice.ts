import { absoluteAxis } from './axes.js';
import { rearranged, withElements } from './fold.js';
import type { Application, Operator } from './operator.js';
import { type Pick, unpick } from './scatter.js';

/** What is taken along each axis that is cut at all. */
function cutsOf(at: Application): readonly Pick[] {
  const { dims } = at.fact(0);
  const starts = at.integers(1);
  const ends = at.integers(2);
  const axes = at.has(3) ? at.integers(3) : starts.map((_, i) => i);
  const steps = at.has(4) ? at.integers(4) : starts.map(() => 1);
  return axes.flatMap((given, i) => {
    const axis = absoluteAxis(at, given, dims.length);
    const length = dims[axis]!;
    const [start, end, step] = [starts[i]!, ends[i]!, steps[i]!];
    if (typeof length === 'string') {
      // 2³¹ and more stand for "to the end".
      if (start === 0 && step === 1 && end >= 2 ** 31 - 1) return [];
      at.refuse(`cannot tell which part of the symbolic length ${length} is taken`);
    }
    return [{ axis, positions: positions(length, start, end, step) }];
  });
}

function positions(length: number, start: number, end: number, step: number): readonly number[] {
  const clamp = (index: number): number => {
    const absolute = index < 0 ? index + length : index;
    return step > 0 ? Math.min(Math.max(absolute, 0), length) : Math.min(Math.max(absolute, -1), length - 1);
  };
  const [first, last] = [clamp(start), clamp(end)];
  const count = Math.max(0, Math.ceil((last - first) / step));
  return Array.from({ length: count }, (_, i) => first + i * step);
}

/** The gradient goes back to where the part was taken from; everything else gets zero. */
export const slice: Operator = {
  opType: 'Slice',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const cuts = new Map(cutsOf(at).map((cut) => [cut.axis, cut.positions]));
    const taken = dims.map((length, i) => cuts.get(i)?.length ?? length);
    const source = (position: readonly number[]): readonly number[] =>
      position.map((along, axis) => cuts.get(axis)?.[along] ?? along);
    return [withElements({ type, dims: taken }, rearranged(at.fact(0), taken, source))];
  },
  backward: (at, dY) => [
    () =>
      unpick(at.b, at.x(0), dY, cutsOf(at), at.fact(0).dims) ??
      at.refuse('expected positions that do not repeat'),
    undefined,
    undefined,
    undefined,
    undefined,
  ],
};
