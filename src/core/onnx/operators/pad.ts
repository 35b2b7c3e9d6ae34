import type { Axis } from '../model.js';
import { absoluteAxis } from './axes.js';
import { negate } from './emit.js';
import type { Application, Operator } from './operator.js';
import { type Pick, unpick } from './scatter.js';

type Source = (position: number, length: number) => number;

/** Where the value at a position outside 0 … length − 1 is taken from, by mode. */
const sources: Readonly<Record<string, Source>> = {
  reflect: (position, length) => {
    if (length === 1) return 0;
    const period = 2 * (length - 1);
    const within = ((position % period) + period) % period;
    return within < length ? within : period - within;
  },
  edge: (position, length) => Math.min(Math.max(position, 0), length - 1),
  wrap: (position, length) => ((position % length) + length) % length,
};

interface Pads {
  readonly axis: number;
  /** How much is added at the beginning; what is negative is cut off. */
  readonly begin: number;
  readonly end: number;
}

function padsOf(at: Application): readonly Pads[] {
  const { length } = at.fact(0).dims;
  const amounts = at.integers(1);
  const axes = at.has(3) ? at.integers(3) : Array.from({ length }, (_, i) => i);
  if (amounts.length !== 2 * axes.length) at.refuse(`expected ${2 * axes.length} pads, got [${amounts}]`);
  return axes
    .map((axis, i) => ({
      axis: absoluteAxis(at, axis, length),
      begin: amounts[i]!,
      end: amounts[i + axes.length]!,
    }))
    .filter(({ begin, end }) => begin !== 0 || end !== 0);
}

const padded = (at: Application, length: Axis, { begin, end }: Pads): number =>
  typeof length === 'number'
    ? Math.max(0, length + begin + end)
    : at.refuse(`cannot pad the symbolic length ${length}`);

/** For padding with values of the input: what the result holds along each padded axis. */
function picksOf(at: Application, source: Source): readonly Pick[] {
  return padsOf(at).map((pads) => {
    const length = at.fact(0).dims[pads.axis]!;
    const positions = Array.from({ length: padded(at, length, pads) }, (_, i) =>
      source(i - pads.begin, Number(length)),
    );
    return { axis: pads.axis, positions };
  });
}

/** A constant border has no gradient; a border of copies gives its gradient to what it copies. */
export const pad: Operator = {
  opType: 'Pad',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const pads = new Map(padsOf(at).map((each) => [each.axis, each]));
    return [
      { type, dims: dims.map((length, i) => (pads.has(i) ? padded(at, length, pads.get(i)!) : length)) },
    ];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      const mode = at.string('mode', 'constant');
      if (mode === 'constant') {
        // What was added is cut off, and what was cut off becomes zero.
        return b.op('Pad', [dY, negate(b, at.x(1)), '', ...(at.has(3) ? [at.x(3)] : [])])[0];
      }
      const source = Object.hasOwn(sources, mode) ? sources[mode] : undefined;
      if (!source) return at.refuse(`mode ${mode} is not known`);
      return (
        unpick(b, at.x(0), dY, picksOf(at, source), at.fact(0).dims) ??
        at.refuse('expected fixed lengths along padded axes')
      );
    },
    undefined,
    undefined,
    undefined,
  ],
};
