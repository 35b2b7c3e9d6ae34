import type { Axis } from '../model.js';
import { absoluteAxis, axesOf, product, quotient } from './axes.js';
import { reshapeLike } from './emit.js';
import type { Application, BackwardApplication, Fact, GradientRule, Operator } from './operator.js';

/** Operators that keep the elements and their order: the gradient takes the input's shape again. */
const backward = (at: BackwardApplication, dY: string): readonly (GradientRule | undefined)[] => [
  () => reshapeLike(at.b, dY, at.x(0)),
  undefined,
];

const reshaped = (at: Application, dims: readonly Axis[]): readonly Fact[] => [{ ...at.fact(0), dims }];

export const identity: Operator = {
  opType: 'Identity',
  infer: (at) => [at.fact(0)],
  backward: (_, dY) => [() => dY],
};

export const flatten: Operator = {
  opType: 'Flatten',
  infer: (at) => {
    const { dims } = at.fact(0);
    const given = at.int('axis', 1);
    const axis = given < 0 ? given + dims.length : given;
    return reshaped(at, [product(dims.slice(0, axis)), product(dims.slice(axis))]);
  },
  backward,
};

export const reshape: Operator = {
  opType: 'Reshape',
  infer: (at) => {
    const { dims } = at.fact(0);
    const keepsZeros = at.int('allowzero', 0) !== 0;
    const target = at.elements(1).map((axis, i) => (axis === 0 && !keepsZeros ? (dims[i] ?? 0) : axis));
    const known = target.filter((axis) => axis !== -1);
    const isOpen = known.length < target.length;
    const rest = isOpen ? quotient(dims, known) : 1;
    if (rest === undefined || (!isOpen && product(dims) !== product(known))) {
      return at.refuse(`cannot tell whether [${dims}] fits in [${target}]`);
    }
    return reshaped(
      at,
      target.map((axis) => (axis === -1 ? rest : axis)),
    );
  },
  backward,
};

export const squeeze: Operator = {
  opType: 'Squeeze',
  infer: (at) => {
    const { dims } = at.fact(0);
    const axes = axesOf(at, 13)?.map((axis) => absoluteAxis(at, axis, dims.length));
    return reshaped(
      at,
      dims.filter((axis, i) => (axes ? !axes.includes(i) : axis !== 1)),
    );
  },
  backward,
};

export const unsqueeze: Operator = {
  opType: 'Unsqueeze',
  infer: (at) => {
    const { dims } = at.fact(0);
    const given = axesOf(at, 13) ?? at.refuse('expected axes');
    const rank = dims.length + given.length;
    const axes = given.map((axis) => absoluteAxis(at, axis, rank));
    const rest = [...dims];
    return reshaped(
      at,
      Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)),
    );
  },
  backward,
};
