import { attribute } from '../graph-builder.js';
import { int64Vector } from '../tensor.js';
import { absoluteAxis } from './axes.js';
import { scatterAlong } from './emit.js';
import type { Application, Operator } from './operator.js';

interface Cut {
  readonly axis: number;
  /** Positions taken along the axis, in order. */
  readonly indices: readonly number[];
}

/** What is taken along each axis that is cut at all. */
function cutsOf(at: Application): readonly Cut[] {
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
    return [{ axis, indices: positions(length, start, end, step) }];
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
    const { type, dims, elements } = at.fact(0);
    const cuts = new Map(cutsOf(at).map(({ axis, indices }) => [axis, indices]));
    return [
      {
        type,
        dims: dims.map((length, i) => cuts.get(i)?.length ?? length),
        ...(elements && dims.length === 1 && { elements: cuts.get(0)?.map((i) => elements[i]!) ?? elements }),
      },
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const rank = at.fact(0).dims.length;
      // Cut along one axis after the other, so that each scatter meets a shape that differs in that axis alone.
      const stages = cutsOf(at).map(({ axis, indices }) => ({
        axis,
        indices: b.constant(int64Vector(indices), 'indices'),
      }));
      let input = at.x(0);
      const inputs = stages.map(({ axis, indices }) => {
        const before = input;
        [input] = b.op('Gather', [input, indices], { axis: attribute.int(axis) });
        return before;
      });
      return stages.reduceRight(
        (gradient, { axis, indices }, i) => scatterAlong(b, inputs[i]!, gradient, indices, axis, rank, false),
        dY,
      );
    },
    undefined,
    undefined,
    undefined,
    undefined,
  ],
};
