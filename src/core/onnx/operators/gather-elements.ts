import { attribute } from '../graph-builder.js';
import type { Axis } from '../model.js';
import { zerosLike } from './emit.js';
import type { Application, Operator } from './operator.js';
import { scatterAddSince } from './scatter.js';

const add = attribute.string('add');

/** Picks single elements along an axis: each gradient is added where its element came from. */
export const gatherElements: Operator = {
  opType: 'GatherElements',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(1).dims }],
  backward: (at, dY) => [
    () => {
      const { b } = at;
      if (at.opset < scatterAddSince) at.refuse(`its gradient needs operator set ${scatterAddSince}`);
      const axis = attribute.int(at.int('axis', 0));
      return b.op('ScatterElements', [zerosLike(b, at.x(0)), at.x(1), dY], { axis, reduction: add })[0];
    },
    undefined,
  ],
};

/** Picks elements or slices by their coordinates along the first axes. */
export const gatherND: Operator = {
  opType: 'GatherND',
  infer: (at) => {
    const { type, dims } = at.fact(0);
    const indices = at.fact(1).dims;
    const coordinates = indices.at(-1);
    if (typeof coordinates !== 'number') return at.refuse('expected a fixed number of coordinates');
    const rest: readonly Axis[] = dims.slice(at.int('batch_dims', 0) + coordinates);
    return [{ type, dims: [...indices.slice(0, -1), ...rest] }];
  },
  backward: (at, dY) => [
    () => {
      const { b } = at;
      if (at.opset < scatterAddSince) at.refuse(`its gradient needs operator set ${scatterAddSince}`);
      if (at.int('batch_dims', 0) !== 0) at.refuse('gradients with batch_dims are not supported');
      return b.op('ScatterND', [zerosLike(b, at.x(0)), at.x(1), dY], { reduction: add })[0];
    },
    undefined,
  ],
};

/** Whether the old elements stay, as terms of sums; products and extremes are refused. */
function adds(at: Application): boolean {
  const reduction = at.string('reduction', 'none');
  if (reduction !== 'none' && reduction !== 'add') at.refuse(`gradients of ${reduction} are not supported`);
  return reduction === 'add';
}

/** Overwrites elements, or adds to them: what was overwritten has no gradient. */
export const scatterElements: Operator = {
  opType: 'ScatterElements',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => {
    const { b } = at;
    const axis = attribute.int(at.int('axis', 0));
    return [
      () => (adds(at) ? dY : b.op('ScatterElements', [dY, at.x(1), zerosLike(b, at.x(2))], { axis })[0]),
      undefined,
      () => {
        adds(at);
        return b.op('GatherElements', [dY, at.x(1)], { axis })[0];
      },
    ];
  },
};

/** The same by coordinates along the first axes. */
export const scatterND: Operator = {
  opType: 'ScatterND',
  infer: (at) => [{ type: at.fact(0).type, dims: at.fact(0).dims }],
  backward: (at, dY) => {
    const { b } = at;
    return [
      () => (adds(at) ? dY : b.op('ScatterND', [dY, at.x(1), zerosLike(b, at.x(2))])[0]),
      undefined,
      () => {
        adds(at);
        return b.op('GatherND', [dY, at.x(1)])[0];
      },
    ];
  },
};
