import type { Axis } from '../model.js';
import { divide, floatOf, multiply, reduceTo } from './emit.js';
import { type Combine, elementwise, numeric } from './fold.js';
import type { BackwardApplication, Operator } from './operator.js';

/** The gradient goes to the operand that is the extreme; those that tie share it evenly, as PyTorch has it. */
const extreme = (opType: string, combine: Combine): Operator => ({
  opType,
  infer: (at) => [elementwise(at, at.fact(0).type, combine)],
  backward: (at, dY) => {
    const wins = lazily(at.node.inputs.map((_, i) => () => isExtreme(at, i)));
    const share = lazily([
      () => {
        const counts = wins.map((win) => win());
        const total = counts.length === 1 ? counts[0]! : at.b.op('Sum', counts)[0];
        return divide(at.b, dY, total);
      },
    ])[0]!;
    return at.node.inputs.map(
      (_, i) => () => reduceTo(at.b, multiply(at.b, share(), wins[i]!()), at.result(0).dims, at.fact(i).dims),
    );
  },
});

const isExtreme = ({ b, x, y }: BackwardApplication, i: number): string =>
  floatOf(b, b.op('Equal', [x(i), y(0)])[0]);

/** Nodes that several rules share, written once. */
const lazily = (rules: readonly (() => string)[]): readonly (() => string)[] =>
  rules.map((rule) => {
    let written: string | undefined;
    return () => (written ??= rule());
  });

const ofLengths =
  (combine: Combine): Combine =>
  (...operands) =>
    new Set<Axis>(operands).size === 1 ? operands[0] : combine(...operands);

export const maximum = extreme('Max', ofLengths(numeric(Math.max)));
export const minimum = extreme('Min', ofLengths(numeric(Math.min)));
