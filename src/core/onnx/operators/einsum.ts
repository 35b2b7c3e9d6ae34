import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { floatTensor } from '../tensor.js';
import { fixed } from './axes.js';
import { shapeOf, unsqueeze } from './emit.js';
import type { Application, BackwardApplication, Operator } from './operator.js';

/** An equation with one letter an axis: dots stand for letters of their own, and the result is spelt out. */
interface Equation {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
  /** Length of each letter's axis. */
  readonly lengths: ReadonlyMap<string, Axis>;
  /** Letters that the equation does not use. */
  readonly free: readonly string[];
}

const alphabet = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/**
 * Sums of products over named axes. The gradient of an operand is again such a sum: of the result's gradient and the
 * other operands, named after the operand's axes. An axis that the operand alone has was summed over, so its gradient is
 * the same all along; an axis named twice is a diagonal, off which the gradient is zero.
 */
export const einsum: Operator = {
  opType: 'Einsum',
  infer: (at) => {
    const { result, lengths } = equationOf(at);
    return [{ type: at.fact(0).type, dims: result.map((letter) => lengths.get(letter)!) }];
  },
  backward: (at, dY) => {
    const equation = equationOf(at);
    return equation.operands.map((_, i) => () => operandGradient(at, dY, equation, i));
  },
};

function operandGradient(at: BackwardApplication, dY: string, equation: Equation, i: number): string {
  const { b } = at;
  const own = equation.operands[i]!;
  const values = [dY, ...equation.operands.flatMap((_, j) => (j === i ? [] : [at.x(j)]))];
  const terms = [equation.result, ...equation.operands.filter((_, j) => j !== i)];
  const free = [...equation.free];
  const target = own.map((letter, axis) => {
    if (own.indexOf(letter) === axis) return letter;
    const twin = free.pop() ?? at.refuse('too many axes');
    values.push(identityMatrix(at, equation.lengths.get(letter)!));
    terms.push([letter, twin]);
    return twin;
  });
  const { dims } = at.fact(i);
  const isGiven = (letter: string, axis: number): boolean =>
    terms.some((term) => term.includes(letter)) &&
    (dims[axis] !== 1 || equation.lengths.get(equation.operands[i]![axis]!) === 1);
  const given = target.filter(isGiven);
  const [gradient] = b.op('Einsum', values, {
    equation: attribute.string(`${terms.map((term) => term.join('')).join(',')}->${given.join('')}`),
  });
  if (given.length === target.length) return gradient;
  const missing = target.flatMap((letter, axis) => (isGiven(letter, axis) ? [] : [axis]));
  return b.op('Expand', [unsqueeze(b, gradient, missing), shapeOf(b, at.x(i))])[0];
}

function identityMatrix(at: BackwardApplication, axis: Axis): string {
  const [length] = fixed(at, [axis]);
  const elements = Array.from({ length: length! * length! }, (_, i) => (i % (length! + 1) === 0 ? 1 : 0));
  return at.b.constant(floatTensor([length!, length!], elements), 'identity');
}

function equationOf(at: Application): Equation {
  const text = at.string('equation', '').replaceAll(' ', '');
  const [left = '', right] = text.split('->');
  const written = left.split(',');
  if (written.length !== at.node.inputs.length || !/^([A-Za-z.,]|->)*$/.test(text)) {
    at.refuse(`cannot read the equation '${text}' of ${at.node.inputs.length} operands`);
  }
  const unused = alphabet.filter((letter) => !text.includes(letter));
  const ranks = written.map((term, i) => at.fact(i).dims.length - term.replace('...', '').length);
  const dots = unused.slice(0, Math.max(0, ...ranks.filter((_, i) => written[i]!.includes('...'))));
  const lettersOf = (term: string, rank: number): readonly string[] => {
    const [before = '', after] = term.split('...');
    return after === undefined ? [...term] : [...before, ...dots.slice(dots.length - rank), ...after];
  };
  const operands = written.map((term, i) => lettersOf(term, ranks[i]!));
  const result = right === undefined ? implicitResult(operands, dots) : lettersOf(right, dots.length);

  const lengths = new Map<string, Axis>();
  for (const [i, letters] of operands.entries()) {
    const { dims } = at.fact(i);
    if (letters.length !== dims.length) at.refuse(`'${written[i]}' does not name the axes of [${dims}]`);
    for (const [axis, letter] of letters.entries()) {
      const known = lengths.get(letter) ?? 1;
      const length = dims[axis]!;
      if (known !== 1 && length !== 1 && known !== length) {
        at.refuse(`cannot tell whether lengths ${known} and ${length} of one axis fit together`);
      }
      lengths.set(letter, known === 1 ? length : known);
    }
  }
  if (result.some((letter) => !lengths.has(letter))) at.refuse(`'${text}' has a result of unknown axes`);
  return { operands, result, lengths, free: unused.slice(dots.length) };
}

/** Without an arrow: the dots, then the letters that stand once, in the order of the alphabet. */
function implicitResult(
  operands: readonly (readonly string[])[],
  dots: readonly string[],
): readonly string[] {
  const all = operands.flat();
  const once = all.filter(
    (letter) => !dots.includes(letter) && all.indexOf(letter) === all.lastIndexOf(letter),
  );
  return [...dots, ...once.sort()];
}
